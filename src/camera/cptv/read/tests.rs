//! The reader against a file by another hand, and against damage in every place.

use super::*;
use ndarray::array;
use std::io::Write;
use std::time::Duration;

/// Made by the published Python writer (cptv 1.5.5) from made-up numbers, 4 × 3 pixels: a
/// background picture, then frames that need 8, 12 and 16 bits; two gzip members; behind the
/// 16-bit pixels stand bytes that mean nothing.
const GOLDEN: &str = "\
    1f8b080880674b5e04ff672d686561646572732e6370747600730e080963f2e06174666489606160 \
    6060896406924c811dc24cde858799bc5818585d72f293922a3942266ce011b9348f9581318a93d3 \
    3527b5a0243fcf58cf94c5292d27b388c5cf17a80d00a944dd4c4d0000001f8b0808cf56046b04ff \
    672e63707476007363672979ceccc0c092cccac0c0c058cec19208a41958924024633a234b1a3f90 \
    71a6848181999999e7efdfbf3c40da8d8da5e405581317481544d31a4790a6458e101d2920fd0800 \
    d211c502b206a28307640d42872854254fc3099e7e8bcffd1646fc163c3d0f781a40face20e91340 \
    d51703d41731effffff50cfe05eb19184e04326c98e02bc170623d437004904f310000432cd6081e \
    010000 \
";

fn golden() -> Vec<u8> {
    let digits: Vec<u8> = GOLDEN.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn plain() -> Vec<u8> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(golden().as_slice())
        .read_to_end(&mut plain)
        .unwrap();
    plain
}

/// The golden file with one field of its header or first frame changed.
fn changed(code: u8, data: &[u8]) -> Vec<u8> {
    let mut plain = plain();
    let head = [data.len() as u8, code];
    let at = plain.windows(2).position(|two| two == head).unwrap() + 2;
    plain[at..at + data.len()].copy_from_slice(data);
    gzip(&plain)
}

fn refusal(file: &[u8]) -> String {
    CptvReader::new(file).unwrap_err().to_string()
}

fn fate(file: &[u8]) -> (usize, String) {
    let mut reader = CptvReader::new(file).unwrap();
    let mut whole = 0;
    loop {
        match reader.next() {
            Some(Ok(_)) => whole += 1,
            Some(Err(error)) => {
                assert!(reader.next().is_none(), "nothing comes after an error");
                return (whole, error.to_string());
            }
            None => return (whole, String::new()),
        }
    }
}

#[test]
fn reads_what_the_python_writer_wrote() {
    let file = golden();
    let mut reader = CptvReader::new(file.as_slice()).unwrap();
    assert_eq!(
        reader.header(),
        &CptvHeader {
            width: 4,
            height: 3,
            timestamp_us: 1_582_000_000_250_000,
            fps: Some(9),
            device_name: Some("lobby".into()),
            camera_serial: Some(77),
            brand: Some("flir".into()),
            model: Some("lepton3.5".into()),
            frames_announced: Some(4),
            ..CptvHeader::default()
        }
    );
    let background = reader.next().unwrap().unwrap();
    assert!(background.background);
    assert_eq!(background.counts[(2, 3)], 29_933);
    assert_eq!(background.camera_temperature, None, "0 stands for unknown");

    let frames: Vec<_> = reader.map(Result::unwrap).collect();
    assert_eq!(frames.len(), 3);
    assert_eq!(
        frames[0],
        CptvFrame {
            added: None,
            counts: array![
                [30000, 30003, 30006, 30009],
                [30012, 30015, 30018, 30021],
                [30024, 30027, 30030, 30033]
            ],
            time_on: Some(Duration::from_secs(1)),
            last_ffc: Some(Duration::from_millis(10)),
            camera_temperature: Celsius::new(21.5),
            last_ffc_temperature: Celsius::new(20.25),
            background: false,
        }
    );
    assert_eq!(
        frames[1].counts,
        array![
            [30000, 30203, 30406, 30609],
            [30812, 30015, 30218, 30421],
            [30624, 30827, 30030, 30233]
        ]
    );
    assert_eq!(
        frames[2].counts,
        array![
            [5000, 50003, 5006, 50009],
            [5012, 50015, 5018, 50021],
            [5024, 50027, 5030, 50033]
        ]
    );
    assert_eq!(frames[2].time_on, Some(Duration::from_millis(1228)));
}

#[test]
fn numbers_of_any_width_are_read() {
    // Three pixels in a row, by hand: 100, then differences −1 and +1 in `bits` bits.
    for bits in 2..=MAX_BITS {
        let mask = (1_u128 << bits) - 1;
        let packed = (mask << bits | 1) << (128 - 2 * bits);
        let size = packed_size(3, bits) as u32;
        let mut plain = b"CPTV\x02H\x04\x04X\x03\0\0\0\x04Y\x01\0\0\0\x01C\x01".to_vec();
        plain.extend_from_slice(b"\x08T\0\0\0\0\0\0\0\0F\x02\x01w");
        plain.push(bits as u8);
        plain.extend_from_slice(b"\x04f");
        plain.extend_from_slice(&size.to_le_bytes());
        plain.extend_from_slice(&100_i32.to_le_bytes());
        plain.extend_from_slice(&packed.to_be_bytes()[..size as usize - 4]);
        let file = gzip(&plain);
        let mut reader = CptvReader::new(file.as_slice()).unwrap();
        // 100 more than nothing, then 100 − 1 more, then 99 + 1 more.
        let frame = reader.next().unwrap().unwrap();
        assert_eq!(frame.counts, array![[100, 99, 100]], "{bits} bits");
        assert_eq!((frame.time_on, frame.last_ffc), (None, None));
        assert!(reader.next().is_none());
    }
}

#[test]
fn a_file_cut_anywhere_gives_its_whole_frames_and_says_where() {
    let plain = plain();
    // A cut where a frame begins leaves a shorter, sound recording: so they are found.
    let starts: Vec<usize> = (0..plain.len())
        .filter(|at| plain[*at..].starts_with(b"F"))
        .filter(|at| CptvReader::new(gzip(&plain[..*at]).as_slice()).is_ok())
        .filter(|at| fate(&gzip(&plain[..*at])).1.is_empty())
        .collect();
    assert_eq!(starts.len(), 4);
    for end in starts[0]..plain.len() {
        let (whole, text) = fate(&gzip(&plain[..end]));
        let before = starts.iter().filter(|start| **start < end).count();
        if starts.contains(&end) {
            assert_eq!((whole, text.as_str()), (before, ""));
        } else {
            assert_eq!(whole, before - 1, "cut at {end}");
            assert!(
                text.starts_with(&format!("cut short in frame {whole} ")),
                "{text}"
            );
        }
    }
    for end in 5..starts[0] {
        assert!(refusal(&gzip(&plain[..end])).contains("cut short in the header"));
    }
    // A cut in the compressed file.
    let file = golden();
    let (whole, text) = fate(&file[..file.len() - 30]);
    assert!(
        whole < 4 && text.contains(&format!("cut short in frame {whole}")),
        "{text}"
    );
    // The frames are all there; only the end mark is not.
    let (whole, text) = fate(&file[..file.len() - 2]);
    assert_eq!(
        (whole, text.contains("cut short in frame 4")),
        (4, true),
        "{text}"
    );
}

#[test]
fn says_what_is_wrong() {
    assert!(refusal(b"").contains("empty"));
    assert!(refusal(b"not a gzip file at all").contains("not gzip-compressed"));
    assert!(refusal(&gzip(b"GIF89a")).contains("word CPTV"));
    assert!(refusal(&gzip(b"CPTV\x01")).contains("version 1"));
    assert!(refusal(&gzip(b"CPTV\x02F")).contains("'H'"));
    assert!(refusal(&gzip(b"CPTV\x02H\0")).contains("does not give"));
    assert!(refusal(&changed(b'C', &[0])).contains("compression 0"));
    let wide = refusal(&changed(b'X', &u32::MAX.to_le_bytes()));
    assert!(wide.contains("4294967295×3"), "{wide}");
    assert!(refusal(&changed(b'Y', &0_u32.to_le_bytes())).contains("4×0"));
    assert!(refusal(&changed(b'Y', &1025_u32.to_le_bytes())).contains("4×1025"));

    let (whole, text) = fate(&changed(b'w', &[0]));
    assert_eq!((whole, text.contains("0 bits")), (0, true), "{text}");
    let (_, text) = fate(&changed(b'w', &[33]));
    assert!(text.contains("33 bits"), "{text}");
    for size in [0, 14, 61, u32::MAX] {
        let (_, text) = fate(&changed(b'f', &size.to_le_bytes()));
        assert!(
            text.contains(&format!("said to take {size} bytes, but need 15")),
            "{text}"
        );
    }
    let mut more = plain();
    more.push(b'Q');
    let (whole, text) = fate(&gzip(&more));
    assert_eq!(whole, 4);
    assert!(
        text.contains("damaged at frame 4") && text.contains("0x51"),
        "{text}"
    );
}
