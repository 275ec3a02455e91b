//! Readings of rendered visitors against the skin that was painted: what the program itself adds to
//! a camera's error. It says nothing of any real camera, and nothing of real skin beyond what the
//! simulator knows of it.

use super::Count;

/// The project's targets: |bias| and standard deviation, K, of faces from [`STATED_PX`] on.
pub const BIAS_K: f64 = 0.05;
/// See [`BIAS_K`].
pub const SD_K: f64 = 0.10;
/// Slope of what is read over what is true: 1 ± this.
pub const SLOPE: f64 = 0.02;
/// Farthest from that line, K.
pub const RESIDUAL_K: f64 = 0.05;
/// Most that drift, shutter and the kind of reference may move a reading, K.
pub const MOVED_K: f64 = 0.05;
/// Share of truths within ± U (k = 2).
pub const COVERED: f64 = 0.95;

/// Width of a face from which the targets are held, pixels.
pub const STATED_PX: f64 = 22.0;

/// What came of one visitor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found {
    /// A reading.
    Measured {
        /// Of the warmest skin, °C.
        face_c: f64,
        /// Its expanded uncertainty (k = 2), K.
        expanded_u_k: f64,
    },
    /// Seen, and said to be nobody who can be judged.
    NotJudged,
    /// Not seen to come to be screened.
    Missed,
}

/// One visitor, of whom everything is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visit {
    /// Warmest skin, °C.
    pub true_c: f64,
    /// Width of the face, pixels.
    pub face_px: f64,
    /// What came of it.
    pub found: Found,
}

impl Visit {
    /// Measured minus true, K, and the expanded uncertainty; `None` without a reading.
    #[must_use]
    pub fn error_k(&self) -> Option<(f64, f64)> {
        match self.found {
            Found::Measured {
                face_c,
                expanded_u_k,
            } => Some((face_c - self.true_c, expanded_u_k)),
            Found::NotJudged | Found::Missed => None,
        }
    }
}

/// How far off several visitors' readings are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Errors {
    /// Mean width of the faces, pixels.
    pub face_px: f64,
    /// Visitors who were measured, of all.
    pub measured: Count,
    /// Visitors who were said to be nobody who can be judged.
    pub not_judged: u64,
    /// Mean error, K; nothing of nobody.
    pub bias_k: Option<f64>,
    /// Standard deviation of the errors, K; nothing of fewer than two.
    pub sd_k: Option<f64>,
    /// Largest error either way, K.
    pub worst_k: Option<f64>,
    /// Mean expanded uncertainty, K.
    pub expanded_u_k: Option<f64>,
    /// Truths within ± U.
    pub covered: Count,
}

impl Errors {
    /// Of these visitors.
    #[must_use]
    pub fn of(visits: &[Visit]) -> Self {
        let found: Vec<(f64, f64)> = visits.iter().filter_map(Visit::error_k).collect();
        let mut errors = Self {
            face_px: mean(visits.iter().map(|visit| visit.face_px)).unwrap_or(0.0),
            ..Self::default()
        };
        for visit in visits {
            errors
                .measured
                .add(matches!(visit.found, Found::Measured { .. }));
            errors.not_judged += u64::from(visit.found == Found::NotJudged);
        }
        for (error, u) in &found {
            errors.covered.add(error.abs() <= *u);
        }
        errors.bias_k = mean(found.iter().map(|it| it.0));
        errors.expanded_u_k = mean(found.iter().map(|it| it.1));
        errors.worst_k = found.iter().map(|it| it.0.abs()).reduce(f64::max);
        if let (Some(bias), 2..) = (errors.bias_k, found.len()) {
            let squares: f64 = found.iter().map(|it| (it.0 - bias).powi(2)).sum();
            errors.sd_k = Some((squares / (found.len() - 1) as f64).sqrt());
        }
        errors
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0_u32), |(sum, n), value| (sum + value, n + 1));
    (n > 0).then(|| sum / f64::from(n))
}

/// What is read over what is true: the protocol of Healy et al. 2021 (doi:10.1117/1.JBO.26.4.043009),
/// in which seven of seven devices pulled fever back to normal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Steps that were read.
    pub points: u64,
    /// Of the least-squares line.
    pub slope: f64,
    /// Farthest that a reading lies from it, K.
    pub residual_k: f64,
    /// Least that the reading rises from one step to the next, of the step: 0 is a plateau.
    pub least_rise: f64,
}

impl Line {
    /// Through points (true, read), °C, in the order of truth; nothing through fewer than three.
    #[must_use]
    pub fn through(points: &[(f64, f64)]) -> Option<Self> {
        if points.len() < 3 {
            return None;
        }
        let x = mean(points.iter().map(|it| it.0))?;
        let y = mean(points.iter().map(|it| it.1))?;
        let across: f64 = points.iter().map(|it| (it.0 - x) * (it.1 - y)).sum();
        let along: f64 = points.iter().map(|it| (it.0 - x).powi(2)).sum();
        let slope = across / along;
        let off = |it: &(f64, f64)| (it.1 - y - slope * (it.0 - x)).abs();
        let rise = |pair: &[(f64, f64)]| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0);
        Some(Self {
            points: points.len() as u64,
            slope,
            residual_k: points.iter().map(off).fold(0.0, f64::max),
            least_rise: points.windows(2).map(rise).fold(f64::INFINITY, f64::min),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(error_k: f64) -> Visit {
        Visit {
            true_c: 35.0,
            face_px: 30.0,
            found: Found::Measured {
                face_c: 35.0 + error_k,
                expanded_u_k: 0.3,
            },
        }
    }

    #[test]
    fn errors_are_counted_and_averaged() {
        let nobody = |found| Visit {
            found,
            ..visit(0.0)
        };
        let errors = Errors::of(&[
            visit(0.1),
            visit(-0.1),
            visit(0.6),
            nobody(Found::NotJudged),
            nobody(Found::Missed),
        ]);
        let near = |found: Option<f64>, wanted: f64| (found.unwrap() - wanted).abs() < 1e-9;
        assert_eq!((errors.measured.hits, errors.measured.of), (3, 5));
        assert_eq!(errors.not_judged, 1);
        assert!(near(errors.bias_k, 0.2) && near(errors.worst_k, 0.6));
        assert!(near(errors.sd_k, 0.13_f64.sqrt()), "{errors:?}");
        assert_eq!((errors.covered.hits, errors.covered.of), (2, 3));
        let nothing = Errors::of(&[nobody(Found::Missed)]);
        assert_eq!((nothing.bias_k, nothing.sd_k), (None, None));
        assert_eq!(Errors::of(&[visit(0.1)]).sd_k, None);
    }

    #[test]
    fn a_line_shows_slope_bend_and_plateau() {
        let of = |read: fn(f64) -> f64| {
            let points: Vec<_> = (0..=32)
                .map(|n| 33.0 + 0.25 * f64::from(n))
                .map(|t| (t, read(t)))
                .collect();
            Line::through(&points).unwrap()
        };
        let straight = of(|t| 0.9 * t + 1.0);
        assert!((straight.slope - 0.9).abs() < 1e-9 && straight.residual_k < 1e-9);
        assert!((straight.least_rise - 0.9).abs() < 1e-9);
        // Healy's finding: fever shown as normal.
        let flat = of(|t| t.min(37.0));
        assert!(flat.least_rise.abs() < 1e-9 && flat.slope < 0.9 && flat.residual_k > 0.5);
        assert_eq!(Line::through(&[(33.0, 33.0), (34.0, 34.0)]), None);
    }
}
