//! Any bytes as a recording, packed and as they are: most of what could go wrong lies behind gzip.
#![no_main]

use menshen::camera::cptv::CptvReader;

/// Frames after which a film is long enough.
const FRAMES: usize = 64;

/// Bytes as gzip that is not packed: stored blocks, and sums that nobody needs.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks = bytes.chunks(0xffff).collect::<Vec<_>>();
    for (number, block) in blocks.iter().enumerate() {
        let length = block.len() as u16;
        gzip.push(u8::from(number + 1 == blocks.len()));
        gzip.extend(length.to_le_bytes());
        gzip.extend((!length).to_le_bytes());
        gzip.extend(*block);
    }
    gzip
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for file in [bytes.to_vec(), stored(bytes)] {
        if let Ok(reader) = CptvReader::new(file.as_slice()) {
            for frame in reader.take(FRAMES) {
                let _ = frame.map_err(|error| error.to_string());
            }
        }
    }
});
