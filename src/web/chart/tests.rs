//! What a chart says beside its drawing, and that nothing in it breaks the page.

use super::*;

const WORDS: Words = Words {
    zh: "人数",
    en: "people",
};

fn column(name: &str, values: &[Option<f64>]) -> Column {
    Column {
        short: name.to_owned(),
        name: name.to_owned(),
        link: None,
        values: values.to_vec(),
    }
}

fn plot(shape: Shape, columns: Vec<Column>) -> Plot {
    let series = |look| Series { words: WORDS, look };
    Plot {
        id: "people-by-hour",
        title: Words {
            zh: "每小时",
            en: "by hour",
        },
        about: Said::from(WORDS),
        across: WORDS,
        unit: WORDS,
        decimals: 0,
        shape,
        series: [Look::Good, Look::Alarm].map(series).to_vec(),
        columns,
        rules: Vec::new(),
    }
}

fn hours(shape: Shape) -> Plot {
    let hour = |hour: u32| {
        let people = Some(f64::from(hour * 7 % 40));
        column(&format!("{hour}:00"), &[people, Some(1.0)])
    };
    plot(shape, (0..24).map(hour).collect())
}

/// What a page may not hold under its Content-Security-Policy, and what `app.css` could not colour.
#[test]
fn a_drawing_has_no_inline_style_and_no_colour_of_its_own() {
    for shape in [Shape::Stacked, Shape::Lines] {
        let chart = Chart::new(hours(shape)).render().unwrap();
        for refused in [" style=", "<style", "<script", "fill=\"#", "stroke=\""] {
            assert!(!chart.contains(refused), "{refused}: {chart}");
        }
    }
}

#[test]
fn a_chart_is_named_described_and_told_again_as_a_table() {
    let chart = Chart::new(hours(Shape::Stacked)).render().unwrap();
    for size in ["wide", "narrow"] {
        let id = format!("people-by-hour-{size}-title");
        assert!(
            chart.contains(&format!("aria-labelledby=\"{id}\"")),
            "{chart}"
        );
        assert!(chart.contains(&format!("<title id=\"{id}\">")), "{chart}");
        assert!(chart.contains(&format!("id=\"people-by-hour-{size}-about\"")));
    }
    assert_eq!(chart.matches("role=\"img\"").count(), 2);
    let table = chart.split("<table>").nth(1).unwrap();
    assert_eq!(table.matches("<tr>").count(), 1 + 24);
    assert!(
        table.contains("<th scope=\"row\" class=\"digits\">5:00</th><td class=\"digits\">35</td>")
    );
}

#[test]
fn two_series_differ_by_more_than_colour() {
    let columns = Chart::new(hours(Shape::Stacked)).render().unwrap();
    assert!(columns.contains("url(#people-by-hour-wide-alarm)"));
    assert!(columns.contains("id=\"people-by-hour-wide-alarm\""));
    assert!(columns.contains("id=\"people-by-hour-key-alarm\""));
    let lines = Chart::new(hours(Shape::Lines)).render().unwrap();
    assert!(
        lines.contains("stroke-dasharray=\"2 3\"") && lines.contains("stroke-dasharray=\"none\"")
    );
}

#[test]
fn a_stack_is_as_high_as_its_sum_and_what_is_not_known_is_no_zero() {
    let all = plot(
        Shape::Stacked,
        vec![
            column("a", &[Some(3.0), Some(1.0)]),
            column("b", &[None, Some(2.0)]),
        ],
    );
    assert_eq!(all.highest(), 4.0);
    assert_eq!(all.written(None), "–");
    let lines = plot(
        Shape::Lines,
        vec![
            column("a", &[Some(3.0), None]),
            column("b", &[None, None]),
            column("c", &[Some(2.0), None]),
        ],
    );
    assert_eq!(lines.highest(), 3.0);
    let drawn = draw::chart(&lines, draw::WIDE);
    // Broken in the middle: two lines of one point each, and never one across.
    assert!(
        !drawn
            .lines()
            .any(|it| it.contains("<polyline") && it.matches(',').count() > 1)
    );
}

#[test]
fn hostile_words_and_any_number_are_drawn_without_harm() {
    let mut hostile = plot(
        Shape::Stacked,
        vec![
            column(
                "<script>alert(1)</script>",
                &[Some(f64::NAN), Some(f64::INFINITY)],
            ),
            column("\"><b>", &[Some(-4.0), None]),
        ],
    );
    hostile.rules.push(Rule {
        at: f64::MAX,
        says: Said {
            zh: "</text><b>".to_owned(),
            en: "&".to_owned(),
        },
    });
    for shape in [Shape::Stacked, Shape::Lines] {
        hostile.shape = shape;
        let chart = Chart::new(hostile.clone()).render().unwrap();
        assert!(
            !chart.contains("<b>") && !chart.contains("<script"),
            "{chart}"
        );
    }
    let nothing = Chart::new(plot(Shape::Lines, Vec::new())).render().unwrap();
    assert!(nothing.contains("<svg"));
}
