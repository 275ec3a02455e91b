//! Charts: columns that are stacked, or lines, over one horizontal axis, as SVG that the server draws.
//!
//! Pages allow no inline style and no script (CSP), must be read in daylight, at night, on paper and by a
//! screen reader, and colour may not be the only sign. What draws charts in Rust was tried against that,
//! with 24 columns of one series:
//!
//! | crate | style attributes | classes | title, description | else |
//! |---|---|---|---|---|
//! | `plotters` 0.3 (SVG) | 0 | none: 59 fixed fills | none | draws all text for one theme |
//! | `charts-rs` 2.3 | 0 | none: 58 fixed fills | none | |
//! | `kuva` 0.6 | 0 | none: 26 fixed fills | none | |
//! | `poloto` 19 | 2, and a style sheet | yes | none | |
//! | `charming` 0.6 | – | – | – | needs a JavaScript engine |
//!
//! None of them can be read in the dark or by a screen reader without its output being rewritten. So the
//! drawing is composed here, with [`svg`] (no dependencies, escapes all text) for the markup, and only
//! scale and layout are ours (`scale`, `draw`). Every colour is a class of `app.css`; every series has a
//! texture or a dash and mark of its own; every chart has a title, a description and its numbers as a
//! table. Nothing here blocks.
//!
//! A chart is a value that a page puts into its template: `{{ chart }}`. It is drawn twice, wide and for
//! a phone, and the style sheet shows one, since letters must not shrink with the picture.

mod draw;
mod scale;

use super::words::Words;
use askama::Template;

/// A text in both languages that is made while the page is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Template)]
#[template(
    source = r#"<span class="zh">{{ zh }}</span> <span class="en" lang="en">{{ en }}</span>"#,
    ext = "html"
)]
pub(super) struct Said {
    /// Chinese.
    pub(super) zh: String,
    /// English.
    pub(super) en: String,
}

/// The template above escapes both texts.
impl askama::filters::HtmlSafe for Said {}

impl From<Words> for Said {
    fn from(words: Words) -> Self {
        Self {
            zh: words.zh.to_owned(),
            en: words.en.to_owned(),
        }
    }
}

/// How a series looks: a class of colour with a texture (columns), or a dash and a mark (lines).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// As "clear": plain.
    Good,
    /// As "possible fever": crossed.
    Alarm,
    /// As "retest": hatched upwards.
    Doubt,
    /// As "cannot judge": dotted.
    Unknown,
    /// Any other number: plain.
    Plain,
}

impl Look {
    /// Its class in the style sheet, and the end of its texture's id.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Alarm => "alarm",
            Self::Doubt => "doubt",
            Self::Unknown => "unknown",
            Self::Plain => "plain",
        }
    }
}

/// One thing that has a value in every column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Series {
    pub(super) words: Words,
    pub(super) look: Look,
}

/// One place on the horizontal axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Column {
    /// Below the axis, where there is room.
    pub(super) short: String,
    /// In the table.
    pub(super) name: String,
    /// Where the table leads from here.
    pub(super) link: Option<String>,
    /// One for each series; `None` where nothing is known.
    pub(super) values: Vec<Option<f64>>,
}

/// A line across the axis, such as a threshold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    /// Where, in columns from the left edge of the first.
    pub(super) at: f64,
    pub(super) says: Said,
}

/// How values are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Columns, one series on the other.
    Stacked,
    /// A line for each series.
    Lines,
}

/// What a chart shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plot {
    /// Its place in the page; one chart, one id.
    pub(super) id: &'static str,
    pub(super) title: Words,
    /// What is to be seen in it, in a sentence.
    pub(super) about: Said,
    /// What the columns are.
    pub(super) across: Words,
    /// What the values are.
    pub(super) unit: Words,
    /// Decimals of the values.
    pub(super) decimals: usize,
    pub(super) shape: Shape,
    pub(super) series: Vec<Series>,
    pub(super) columns: Vec<Column>,
    pub(super) rules: Vec<Rule>,
}

/// A chart, ready for a page.
#[derive(Template)]
#[template(path = "chart.html", config = "src/web/askama.toml")]
pub(super) struct Chart {
    plot: Plot,
    wide: String,
    narrow: String,
    /// A small picture beside each series' name.
    keys: Vec<String>,
}

/// The template escapes every text, and [`svg`] those within the drawings.
impl askama::filters::HtmlSafe for Chart {}

impl Chart {
    /// Draws it.
    pub(super) fn new(plot: Plot) -> Self {
        Self {
            wide: draw::chart(&plot, draw::WIDE),
            narrow: draw::chart(&plot, draw::NARROW),
            keys: plot.series.iter().map(|it| draw::key(&plot, it)).collect(),
            plot,
        }
    }
}

impl Plot {
    /// A value as it is written.
    fn written(&self, value: Option<f64>) -> String {
        value.map_or_else(|| "–".to_owned(), |it| format!("{it:.*}", self.decimals))
    }

    /// A column's values as its line of the table has them.
    fn cells(&self, column: &Column) -> Vec<String> {
        column.values.iter().map(|it| self.written(*it)).collect()
    }

    /// The highest value that is drawn.
    fn highest(&self) -> f64 {
        let of = |column: &Column| {
            let values = column.values.iter().copied().flatten();
            match self.shape {
                Shape::Stacked => values.sum(),
                Shape::Lines => values.fold(0.0, f64::max),
            }
        };
        self.columns.iter().map(of).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests;
