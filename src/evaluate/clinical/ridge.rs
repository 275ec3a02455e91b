//! Ridge regression: least squares that keeps its weights small (Hoerl, Kennard 1970).

/// Weights of the columns for each penalty: those that make the sum of squares plus penalty times
/// the squared weights least, every column scaled to the same deviation and the mean taken out.
/// A penalty of 0 is ordinary least squares. `None` where columns are the same or constant, or
/// there are no rows.
pub(super) fn ridge(
    columns: &[Vec<f64>],
    wanted: &[f64],
    penalties: &[f64],
) -> Option<Vec<Vec<f64>>> {
    let scaled = columns
        .iter()
        .map(|column| {
            let deviation = super::deviation(column).filter(|it| *it > 1e-9)?;
            Some((centred(column)?, deviation))
        })
        .collect::<Option<Vec<_>>>()?;
    let wanted = centred(wanted)?;
    let n = wanted.len() as f64;
    let gram = scaled
        .iter()
        .map(|(a, da)| {
            let with = |(b, db): &(Vec<f64>, f64)| dot(a, b) / (n * da * db);
            scaled.iter().map(with).collect::<Vec<f64>>()
        })
        .collect::<Vec<_>>();
    let towards: Vec<f64> = scaled
        .iter()
        .map(|(a, d)| dot(a, &wanted) / (n * d))
        .collect();
    let weights = |&penalty: &f64| {
        let mut matrix = gram.clone();
        for (at, line) in matrix.iter_mut().enumerate() {
            line[at] += penalty;
        }
        let found = solve(matrix, &towards)?;
        let per_unit = found.iter().zip(&scaled).map(|(weight, (_, d))| weight / d);
        Some(per_unit.collect())
    };
    penalties.iter().map(weights).collect()
}

fn centred(values: &[f64]) -> Option<Vec<f64>> {
    let middle = super::mean(values.iter().copied())?;
    Some(values.iter().map(|value| value - middle).collect())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves a symmetric positive system by Cholesky's factors; `None` where it is not positive.
fn solve(mut matrix: Vec<Vec<f64>>, right: &[f64]) -> Option<Vec<f64>> {
    let size = right.len();
    for row in 0..size {
        for col in 0..=row {
            let known = dot(&matrix[row][..col], &matrix[col][..col]);
            let rest = matrix[row][col] - known;
            matrix[row][col] = if row == col {
                if rest < 1e-12 {
                    return None;
                }
                rest.sqrt()
            } else {
                rest / matrix[col][col]
            };
        }
    }
    let mut found = right.to_vec();
    for row in 0..size {
        found[row] = (found[row] - dot(&matrix[row][..row], &found[..row])) / matrix[row][row];
    }
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size)
            .map(|below| matrix[below][row] * found[below])
            .sum();
        found[row] = (found[row] - known) / matrix[row][row];
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// y = 2 a − 3 b + 5.
    fn plane() -> (Vec<Vec<f64>>, Vec<f64>) {
        let a = vec![0.0, 1.0, 2.0, 3.0, 5.0, 8.0];
        let b = vec![1.0, 0.0, 4.0, 2.0, 2.0, 7.0];
        let y = a
            .iter()
            .zip(&b)
            .map(|(a, b)| 2.0 * a - 3.0 * b + 5.0)
            .collect();
        (vec![a, b], y)
    }

    #[test]
    fn without_a_penalty_a_known_plane_is_found() {
        let (columns, y) = plane();
        let weights = ridge(&columns, &y, &[0.0]).unwrap().remove(0);
        assert!(
            (weights[0] - 2.0).abs() < 1e-9 && (weights[1] + 3.0).abs() < 1e-9,
            "{weights:?}"
        );
    }

    #[test]
    fn a_penalty_makes_one_weight_smaller_by_what_can_be_computed_by_hand() {
        // One column, scaled to deviation 1: the weight is that of least squares by 1 + penalty.
        let x = vec![vec![1.0, 2.0, 3.0, 4.0]];
        let y = [3.0, 5.0, 7.0, 9.0];
        let weights = ridge(&x, &y, &[0.0, 0.25, 1.0]).unwrap();
        for (weight, known) in weights.iter().zip([2.0, 1.6, 1.0]) {
            assert!((weight[0] - known).abs() < 1e-12, "{weight:?}");
        }
    }

    #[test]
    fn what_has_no_answer_gives_none() {
        let twice = vec![vec![1.0, 2.0, 3.0], vec![2.0, 4.0, 6.0]];
        assert_eq!(ridge(&twice, &[1.0, 2.0, 4.0], &[0.0]), None);
        assert_eq!(ridge(&[vec![1.0; 3]], &[1.0, 2.0, 4.0], &[0.1]), None);
        assert_eq!(ridge(&[vec![]], &[], &[0.1]), None);
        // A penalty tells even two equal columns apart: they share.
        let shared = ridge(&twice, &[1.0, 2.0, 4.0], &[0.1]).unwrap().remove(0);
        assert!((shared[0] - 2.0 * shared[1]).abs() < 1e-9);
    }
}
