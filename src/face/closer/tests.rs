//! The square against a slow reading of its definition, and answers made up by hand.

use super::*;

const WINDOW: Window = Window {
    low_c: 18.0,
    high_c: 40.0,
};

const MEANING: Meaning = Meaning {
    window: WINDOW,
    cells: 48,
    scale: 1.6,
    threshold: 0.5,
    nms_iou: 0.4,
};

/// A picture with detail at every scale.
fn picture(rows: usize, cols: usize) -> Array2<f32> {
    Array2::from_shape_fn((rows, cols), |(row, col)| {
        let noise = (row * 7919 + col * 104_729) % 97;
        20.0 + 0.05 * row as f32 + 0.03 * col as f32 + 0.1 * noise as f32
    })
}

/// A cell by its definition: every sample for itself.
fn cell(celsius: &Array2<f32>, square: &Square, (row, col): (usize, usize)) -> f32 {
    let (height, width) = celsius.dim();
    let side = f64::from(square.side);
    let n = (side / 48.0).round().max(1.0) as usize;
    let place = |centre: f32, cell: usize, k: usize| {
        let along = (cell as f64 + (k as f64 + 0.5) / n as f64) / 48.0;
        f64::from(centre) + (along - 0.5) * side
    };
    let mut sum = 0.0;
    for ky in 0..n {
        for kx in 0..n {
            let (x, y) = (
                place(square.centre.x, col, kx),
                place(square.centre.y, row, ky),
            );
            let inside = (0.0..width as f64).contains(&x) && (0.0..height as f64).contains(&y);
            sum += if inside {
                let x = (x - 0.5).clamp(0.0, width as f64 - 1.0);
                let y = (y - 0.5).clamp(0.0, height as f64 - 1.0);
                let (x0, y0) = (x as usize, y as usize);
                let (x1, y1) = ((x0 + 1).min(width - 1), (y0 + 1).min(height - 1));
                let (fx, fy) = (x - x0 as f64, y - y0 as f64);
                let at = |y: usize, x: usize| f64::from(celsius[[y, x]]);
                let upper = at(y0, x0) * (1.0 - fx) + at(y0, x1) * fx;
                let lower = at(y1, x0) * (1.0 - fx) + at(y1, x1) * fx;
                upper * (1.0 - fy) + lower * fy
            } else {
                18.0
            };
        }
    }
    let mean = sum / (n * n) as f64;
    ((mean - 18.0) / 22.0).clamp(0.0, 1.0) as f32
}

#[test]
fn the_square_is_what_its_definition_says() {
    let celsius = picture(120, 160);
    let mut cutter = Cutter::default();
    let mut input = Array2::zeros((48, 48));
    for (x, y, side) in [
        // Smaller than the cells, about as large, larger: 1, 1, 2, 3 samples along each side.
        (80.3, 61.7, 20.0),
        (80.0, 60.0, 48.0),
        (77.2, 55.1, 83.0),
        (70.0, 64.0, 140.0),
        // Over a corner, and larger than the picture.
        (3.0, 2.0, 60.0),
        (159.5, 119.0, 33.3),
        (80.0, 60.0, 300.0),
        // Outside of it.
        (-90.0, 60.0, 40.0),
    ] {
        let square = Square {
            centre: PixelPoint { x, y },
            side,
        };
        cutter.cut(&celsius, &square, WINDOW, &mut input);
        for row in 0..48 {
            for col in 0..48 {
                let (ours, expected) = (input[[row, col]], cell(&celsius, &square, (row, col)));
                assert!(
                    (ours - expected).abs() < 2e-5,
                    "{square:?} row {row}, column {col}: {ours}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn one_pixel_a_cell_is_the_picture_itself() {
    let celsius = picture(60, 70);
    let square = Square {
        centre: PixelPoint { x: 30.0, y: 29.0 },
        side: 48.0,
    };
    let mut input = Array2::zeros((48, 48));
    Cutter::default().cut(&celsius, &square, WINDOW, &mut input);
    for ((row, col), value) in input.indexed_iter() {
        let expected = (celsius[[row + 5, col + 6]] - 18.0) / 22.0;
        assert!((value - expected).abs() < 1e-6, "{row}, {col}");
    }
}

#[test]
fn the_square_is_about_the_middle_of_the_box() {
    let area = PixelBox {
        left: 10.0,
        top: 20.0,
        right: 26.0,
        bottom: 45.0,
    };
    let square = Square::about(&area, 1.6);
    assert_eq!((square.centre.x, square.centre.y), (18.0, 32.5));
    // The geometric mean of 16 and 25 is 20.
    assert!((square.side - 32.0).abs() < 1e-5, "{}", square.side);
}

fn candidate(left: f32) -> Candidate {
    Candidate {
        area: PixelBox {
            left,
            top: 20.0,
            right: left + 16.0,
            bottom: 45.0,
        },
        score: 0.5,
    }
}

/// Points one after the other along a diagonal, `traits`, a pose, and the candidate's own edges.
fn read(candidate: &Candidate, traits: [f32; 4], point: f32) -> Option<Face> {
    let mut points = [0.0; 16];
    for (n, value) in points.iter_mut().enumerate() {
        *value = 0.01 * n as f32;
    }
    points[15] = point;
    let output = Output {
        points: &points,
        traits: &traits,
        pose: &[10.0, -20.0, 5.0],
        // 8 and 12.5 pixels of a square of 32.
        edges: &[-0.25, -0.390_625, 0.25, 0.390_625],
    };
    face(&output, candidate, &MEANING, (120, 160))
}

#[test]
fn an_answer_is_read_in_its_order() {
    let face = read(&candidate(10.0), [0.8, 0.1, 0.2, 0.3], 0.15).unwrap();
    // 0.8 of this stage, 0.5 of the first.
    assert_eq!(face.score, 0.4_f32.sqrt());
    assert_eq!(face.area, candidate(10.0).area);
    let features = face.features.unwrap();
    for (n, point) in features.landmarks.points().into_iter().enumerate() {
        // From the centre (18, 32.5) of a square of 32 pixels.
        let x = 18.0 + 32.0 * 0.02 * n as f32;
        let y = 32.5 + 32.0 * (0.02 * n as f32 + 0.01);
        assert!(
            (point.x - x).abs() < 1e-4 && (point.y - y).abs() < 1e-4,
            "point {n}: {point:?}"
        );
    }
    let Occlusion {
        glasses,
        mask,
        brow,
    } = features.occlusion;
    assert_eq!([glasses, mask, brow], [0.1, 0.2, 0.3]);
    let pose = features.pose;
    assert_eq!(
        [pose.yaw_deg, pose.pitch_deg, pose.roll_deg],
        [10.0, -20.0, 5.0]
    );
}

#[test]
fn what_is_no_face_is_none() {
    let traits = [0.5, 0.0, 0.0, 0.0];
    assert!(read(&candidate(10.0), traits, 0.0).is_some());
    assert!(read(&candidate(10.0), [0.499, 0.0, 0.0, 0.0], 0.0).is_none());
    assert!(read(&candidate(10.0), [f32::NAN, 0.0, 0.0, 0.0], 0.0).is_none());
    assert!(read(&candidate(10.0), [0.9, 0.0, f32::NAN, 0.0], 0.0).is_none());
    assert!(read(&candidate(10.0), traits, f32::INFINITY).is_none());
    assert!(read(&candidate(-20.0), traits, 0.0).is_none(), "outside");
}

#[test]
fn a_face_at_the_edge_keeps_its_points_and_loses_the_rest_of_its_box() {
    let whole = read(&candidate(10.0), [0.9; 4], 0.0).unwrap();
    let cut = read(&candidate(-4.0), [0.9; 4], 0.0).unwrap();
    assert_eq!((cut.area.left, cut.area.right), (0.0, 12.0));
    let nose = |face: &Face| face.features.unwrap().landmarks.nose;
    assert!((nose(&whole).x - nose(&cut).x - 14.0).abs() < 1e-4);
}

/// Faces at these left edges, tops, widths and scores, in the order that is left of them.
fn settled(boxes: &[(f32, f32, f32, f32)]) -> Vec<f32> {
    let mut faces: Vec<Face> = boxes
        .iter()
        .map(|&(left, top, width, score)| Face {
            area: PixelBox {
                left,
                top,
                right: left + width,
                bottom: top + 1.3 * width,
            },
            features: None,
            score,
        })
        .collect();
    settle(&mut faces, 0.4);
    faces.iter().map(|face| face.score).collect()
}

#[test]
fn faces_are_sorted_and_those_that_are_one_become_one() {
    assert_eq!(
        settled(&[(0.0, 0.0, 20.0, 0.6), (80.0, 0.0, 20.0, 0.9)]),
        [0.9, 0.6]
    );
    // 4 pixels apart: two thirds in common.
    assert_eq!(
        settled(&[(0.0, 0.0, 20.0, 0.6), (4.0, 0.0, 20.0, 0.9)]),
        [0.9]
    );
    // Neighbours whose boxes touch are two.
    assert_eq!(
        settled(&[(0.0, 0.0, 20.0, 0.9), (15.0, 0.0, 20.0, 0.8)]).len(),
        2
    );
}

#[test]
fn a_box_inside_a_better_one_is_the_same_face_unless_it_is_much_smaller() {
    // Same centre, 14 wide in 20 wide: 0.49 in common, one face; 13.5 wide would be by size, too.
    let inside = |width: f32| (10.0 - width / 2.0, 13.0 - 0.65 * width, width, 0.8);
    assert_eq!(settled(&[(0.0, 0.0, 20.0, 0.9), inside(14.0)]), [0.9]);
    // Less than 0.4 in common, alike in size only with the centre in the inner half: 5 right and
    // 6 down, 15 wide in 20 wide.
    let beside = (7.4, 9.0, 15.0, 0.8);
    assert_eq!(settled(&[(0.0, 0.0, 20.0, 0.9), beside]), [0.9]);
    // Much smaller: somebody farther away, seen past the first one's cheek.
    assert_eq!(settled(&[(0.0, 0.0, 20.0, 0.9), inside(12.0)]).len(), 2);
}
