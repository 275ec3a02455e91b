//! Who is who, for everybody at once: the assignment problem.
//!
//! Solved by the Hungarian method (Kuhn 1955, doi:10.1002/nav.3800020109) in its form of shortest
//! augmenting paths (Jonker and Volgenant 1987, doi:10.1007/BF02278710). Written here because the
//! crates that have it either want whole numbers as costs or bring an `ndarray` of their own.

/// For each row the column that it takes, each column at most once, so that the sum of the costs is
/// the least. A row without a column costs `alone`; a pair without a cost cannot be, and one that
/// costs no less than `alone` is never made.
pub(super) fn cheapest(costs: &[Vec<Option<f32>>], alone: f32) -> Vec<Option<usize>> {
    let rows = costs.len();
    let shared = costs.iter().map(Vec::len).max().unwrap_or(0);
    // Beyond the shared columns are as many that stand for none: each row can have one.
    let columns = shared + rows;
    let cost = |row: usize, column: usize| {
        let pair = costs[row].get(column).copied().flatten();
        pair.filter(|pair| *pair < alone).unwrap_or(alone)
    };
    let mut of_row = vec![0.0; rows];
    let mut of_column = vec![0.0; columns];
    let mut owner: Vec<Option<usize>> = vec![None; columns];
    for start in 0..rows {
        // The tree of cheapest ways from this row: for each column what it costs to reach it, and
        // from which column before.
        let mut reach = vec![f32::INFINITY; columns];
        let mut before: Vec<Option<usize>> = vec![None; columns];
        let mut done = vec![false; columns];
        let (mut row, mut from) = (start, None);
        let free = loop {
            let mut next: Option<usize> = None;
            let so_far = from.map_or(0.0, |column: usize| reach[column]);
            for column in (0..columns).filter(|column| !done[*column]) {
                let way = so_far + cost(row, column) - of_row[row] - of_column[column];
                if way < reach[column] {
                    (reach[column], before[column]) = (way, from);
                }
                if next.is_none_or(|best| reach[column] < reach[best]) {
                    next = Some(column);
                }
            }
            let Some(column) = next else { break None };
            done[column] = true;
            match owner[column] {
                Some(taken) => (row, from) = (taken, Some(column)),
                None => break Some(column),
            }
        };
        let Some(free) = free else { continue };
        // Prices rise by what the way to the free column saved, so that none becomes negative.
        of_row[start] += reach[free];
        for column in (0..columns).filter(|column| done[*column]) {
            let saved = reach[free] - reach[column];
            of_column[column] -= saved;
            if let Some(row) = owner[column] {
                of_row[row] += saved;
            }
        }
        // Everybody on the way moves on by one.
        let mut column = free;
        while let Some(previous) = before[column] {
            owner[column] = owner[previous];
            column = previous;
        }
        owner[column] = Some(start);
    }
    let mut chosen = vec![None; rows];
    for (column, row) in owner.iter().enumerate().take(shared) {
        if let Some(row) = *row
            && cost(row, column) < alone
        {
            chosen[row] = Some(column);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The least sum, by trying everything.
    fn least(costs: &[Vec<Option<f32>>], alone: f32, taken: &mut Vec<usize>) -> f32 {
        let Some((row, others)) = costs.split_first() else {
            return 0.0;
        };
        let mut best = alone + least(others, alone, taken);
        for (column, pair) in row.iter().enumerate() {
            if let Some(pair) = pair
                && !taken.contains(&column)
            {
                taken.push(column);
                best = best.min(pair + least(others, alone, taken));
                taken.pop();
            }
        }
        best
    }

    /// Up to five rows and columns; whole costs, so that sums are exact and many are equal.
    fn tables() -> impl Strategy<Value = Vec<Vec<Option<f32>>>> {
        (0..6_usize, 0..6_usize).prop_flat_map(|(rows, columns)| {
            let pair = proptest::option::weighted(0.8, (-20..20_i8).prop_map(f32::from));
            let row = proptest::collection::vec(pair, columns);
            proptest::collection::vec(row, rows)
        })
    }

    proptest! {
        #[test]
        fn no_other_assignment_is_cheaper(costs in tables(), alone in -5..15_i8) {
            let alone = f32::from(alone);
            let chosen = cheapest(&costs, alone);
            prop_assert_eq!(chosen.len(), costs.len());
            let mut columns: Vec<usize> = chosen.iter().flatten().copied().collect();
            columns.sort_unstable();
            prop_assert!(columns.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", chosen);
            let mut sum = 0.0;
            for (row, column) in costs.iter().zip(&chosen) {
                let pair = column.map(|column| row[column].expect("a pair that can be"));
                prop_assert!(pair.is_none_or(|pair| pair < alone));
                sum += pair.unwrap_or(alone);
            }
            prop_assert_eq!(sum, least(&costs, alone, &mut Vec::new()));
        }
    }

    #[test]
    fn a_cost_that_is_no_number_is_never_paid() {
        let costs = [
            vec![Some(f32::NAN), Some(1.0)],
            vec![Some(f32::INFINITY), Some(2.0)],
        ];
        assert_eq!(cheapest(&costs, 9.0), [Some(1), None]);
    }
}
