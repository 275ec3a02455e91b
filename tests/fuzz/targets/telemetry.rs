//! Any bytes as the rows of telemetry below a Lepton's picture.
#![no_main]

use menshen::camera::lepton::Report;
use menshen::thermal::radiometry::CountScale;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let words: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    if let Some(report) = Report::read(&words) {
        let telemetry = report.telemetry();
        assert!(telemetry.fpa.is_some_and(|it| it.degrees().is_finite()));
        for scale in CountScale::ALL {
            let _ = report.complaint(scale);
        }
    }
});
