//! Any bytes as a frame of any layout, at sizes that a driver may name: the first bytes choose.
#![no_main]

use menshen::camera::layout::{Packing, Sent, fourcc, picture_in};
use menshen::thermal::profile::Layout;

const LAYOUTS: [Layout; 4] = [Layout::Y16, Layout::Lepton, Layout::Halves, Layout::Bands];
const SIZES: [(u32, u32); 6] = [(160, 122), (80, 63), (256, 384), (512, 484), (16, 24), (32, 34)];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some(([kind, size, gap, fill], rest)) = bytes.split_first_chunk::<4>() else {
        return;
    };
    let layout = LAYOUTS[usize::from(*kind) % LAYOUTS.len()];
    let (width, height) = match usize::from(*size) {
        known if known < SIZES.len() => SIZES[known],
        other => (other as u32 % 64, u32::from(*gap)),
    };
    let stride = match gap % 3 {
        0 => 0,
        _ => width * 2 + u32::from(gap % 5),
    };
    let sent = Sent {
        fourcc: fourcc(layout),
        width,
        height,
        stride,
    };
    let wanted = picture_in(layout, (width, height)).unwrap_or((width, height));
    let Ok(packing) = Packing::agree(layout, wanted, sent) else {
        return;
    };
    let _ = packing.unpack(rest);
    // A whole frame of one byte, with what was given at its beginning.
    let mut frame = vec![*fill; packing.frame_bytes()];
    let length = rest.len().min(frame.len());
    frame[..length].copy_from_slice(&rest[..length]);
    if let Ok(unpacked) = packing.unpack(&frame) {
        let (columns, rows) = packing.size();
        assert_eq!(unpacked.counts.dim(), (rows, columns));
    }
});
