//! The drawing itself. Lengths are in the picture's own units, which are pixels on a screen.

use super::scale::{Scale, every, width_of};
use super::{Column, Look, Plot, Rule, Series, Shape};
use svg::node::element::{
    Definitions, Description, Group, Line, Path, Pattern, Polyline, Rectangle, TSpan, Text, Title,
};
use svg::{Document, Node};

/// Height of letters, as `app.css` sets it for `.chart text`.
const LETTER: f64 = 13.0;

/// Width and height of a drawing, and the word for it in ids and classes.
pub(super) type Size = (f64, f64, &'static str);

/// For a desk.
pub(super) const WIDE: Size = (760.0, 260.0, "wide");

/// For a phone.
pub(super) const NARROW: Size = (340.0, 240.0, "narrow");

/// Side of a small picture beside a name.
const KEY: f64 = 18.0;

/// Room above the columns; more where rules say something there.
const ABOVE: f64 = 10.0;

/// Room below: the columns' names.
const BELOW: f64 = 26.0;

/// Share of a column's room that it fills.
const FILLED: f64 = 0.8;

/// Side of a texture's tile.
const TILE: f64 = 6.0;

/// The part of the drawing in which values stand.
struct Field {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    scale: Scale,
    columns: usize,
}

impl Field {
    fn of(plot: &Plot, (width, height, _): Size) -> Self {
        let scale = Scale::up_to(plot.highest(), plot.decimals);
        let widest = width_of(&plot.written(Some(scale.top)));
        Self {
            left: widest * LETTER + 10.0,
            right: width - 4.0,
            top: ABOVE + LETTER * 1.4 * plot.rules.len() as f64,
            bottom: height - BELOW,
            scale,
            columns: plot.columns.len().max(1),
        }
    }

    /// A column's room.
    fn room(&self) -> f64 {
        (self.right - self.left) / self.columns as f64
    }

    /// So many columns from the left.
    fn x(&self, columns: f64) -> f64 {
        columns.mul_add(self.room(), self.left)
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom - self.scale.height(value) * (self.bottom - self.top)
    }
}

/// Two decimals are finer than any screen.
fn px(value: f64) -> String {
    format!("{}", (value * 100.0).round() / 100.0)
}

fn line([x1, y1, x2, y2]: [f64; 4], class: &str) -> Line {
    Line::new()
        .set("x1", px(x1))
        .set("y1", px(y1))
        .set("x2", px(x2))
        .set("y2", px(y2))
        .set("class", class)
}

fn text(content: &str, (x, y): (f64, f64), anchor: &str) -> Text {
    Text::new(content)
        .set("x", px(x))
        .set("y", px(y))
        .set("text-anchor", anchor)
}

fn rectangle([x, y, width, height]: [f64; 4]) -> Rectangle {
    Rectangle::new()
        .set("x", px(x))
        .set("y", px(y))
        .set("width", px(width))
        .set("height", px(height))
}

/// The id of a texture in one drawing.
fn texture_id(plot: &Plot, name: &str, look: Look) -> String {
    format!("{}-{name}-{}", plot.id, look.class())
}

/// The lines of a look's texture within a tile; none where it is plain.
const fn strokes(look: Look) -> Option<&'static str> {
    match look {
        Look::Good | Look::Plain => None,
        Look::Alarm => Some("M0 0L6 6M6 0L0 6"),
        Look::Doubt => Some("M-1 1L1 -1M0 6L6 0M5 7L7 5"),
        Look::Unknown => Some("M2 2h2v2h-2z"),
    }
}

fn textures(plot: &Plot, name: &str, looks: impl Iterator<Item = Look>) -> Definitions {
    looks.fold(Definitions::new(), |all, look| {
        let Some(strokes) = strokes(look) else {
            return all;
        };
        let pattern = Pattern::new()
            .set("id", texture_id(plot, name, look))
            .set("patternUnits", "userSpaceOnUse")
            .set("width", TILE)
            .set("height", TILE)
            .add(Path::new().set("d", strokes).set("class", "texture"));
        all.add(pattern)
    })
}

/// An area in a look: its colour, and its texture over it.
fn area(plot: &Plot, name: &str, look: Look, place: [f64; 4]) -> Group {
    let class = format!("fill {}", look.class());
    let filled = Group::new().add(rectangle(place).set("class", class));
    if strokes(look).is_none() {
        return filled;
    }
    let texture = format!("url(#{})", texture_id(plot, name, look));
    filled.add(rectangle(place).set("fill", texture))
}

/// The dash of a look's line: on and off.
const fn dash(look: Look) -> &'static str {
    match look {
        Look::Good | Look::Plain => "none",
        Look::Alarm => "2 3",
        Look::Doubt => "8 4",
        Look::Unknown => "1 4",
    }
}

/// A look's mark about a point of a line.
fn mark(look: Look, x: f64, y: f64) -> Path {
    let shape = match look {
        Look::Good | Look::Plain => "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z",
        Look::Alarm => "m0 -4.5l4.5 8h-9z",
        Look::Doubt => "m0 -4.5l4.5 4.5l-4.5 4.5l-4.5 -4.5z",
        Look::Unknown => "m-3.5 -3.5h7v7h-7z",
    };
    Path::new()
        .set("d", format!("M{} {}{shape}", px(x), px(y)))
        .set("class", format!("fill {}", look.class()))
}

/// What a column says when it is pointed at.
fn hover(plot: &Plot, column: &Column) -> Title {
    let values = plot.series.iter().zip(&column.values);
    let each = values
        .map(|(series, value)| format!("{} {}", series.words.zh, plot.written(*value)))
        .collect::<Vec<_>>()
        .join("，");
    Title::new(format!("{}：{each}", column.name))
}

fn stacked(plot: &Plot, field: &Field, name: &str) -> Group {
    let room = field.room();
    let width = (room * FILLED).max(0.5);
    let mut all = Group::new();
    for (number, column) in plot.columns.iter().enumerate() {
        let left = field.x(number as f64) + (room - width) / 2.0;
        let whole = rectangle([
            field.x(number as f64),
            field.top,
            room,
            field.bottom - field.top,
        ]);
        let mut stack = Group::new()
            .add(hover(plot, column))
            .add(whole.set("class", "nothing"));
        let mut below = 0.0;
        for (series, value) in plot.series.iter().zip(&column.values) {
            let Some(value) = value.filter(|it| *it > 0.0) else {
                continue;
            };
            let (low, high) = (field.y(below), field.y(below + value));
            below += value;
            stack = stack.add(area(
                plot,
                name,
                series.look,
                [left, high, width, low - high],
            ));
        }
        all = all.add(stack);
    }
    all
}

fn lines(plot: &Plot, field: &Field) -> Group {
    let mut all = Group::new();
    for (at, series) in plot.series.iter().enumerate() {
        let class = format!("stroke {}", series.look.class());
        let value = |column: &Column| column.values.get(at).copied().flatten();
        let place = |number: usize, value: f64| (field.x(number as f64 + 0.5), field.y(value));
        let known: Vec<_> = plot.columns.iter().map(value).enumerate().collect();
        // Where nothing is known the line is broken, and not drawn through.
        for stretch in known.split(|(_, value)| value.is_none()) {
            let points = stretch
                .iter()
                .filter_map(|(number, value)| value.map(|it| place(*number, it)))
                .map(|(x, y)| format!("{},{}", px(x), px(y)))
                .collect::<Vec<_>>()
                .join(" ");
            let drawn = Polyline::new()
                .set("points", points)
                .set("stroke-dasharray", dash(series.look))
                .set("class", class.as_str());
            all = all.add(drawn);
        }
        for (number, value) in &known {
            if let (Some(value), Some(column)) = (value, plot.columns.get(*number)) {
                let (x, y) = place(*number, *value);
                let point = Group::new()
                    .add(hover(plot, column))
                    .add(mark(series.look, x, y));
                all = all.add(point);
            }
        }
    }
    all
}

/// The axes with what is written beside them.
fn axes(plot: &Plot, field: &Field) -> Group {
    let mut all = Group::new();
    for value in field.scale.ticks() {
        let y = field.y(value);
        let class = if value > 0.0 { "grid" } else { "axis" };
        all = all.add(line([field.left, y, field.right, y], class));
        let beside = (field.left - 6.0, y + LETTER * 0.35);
        all = all.add(text(&plot.written(Some(value)), beside, "end"));
    }
    let names = plot.columns.iter().map(|it| it.short.as_str());
    let every = every(names.clone(), field.room() / LETTER);
    for (number, name) in names.enumerate().step_by(every) {
        let half = width_of(name) * LETTER / 2.0;
        let x = field.x(number as f64 + 0.5);
        let below = (
            x.clamp(half, (field.right - half).max(half)),
            field.bottom + LETTER * 1.4,
        );
        all = all.add(text(name, below, "middle"));
    }
    all
}

/// A rule with what it says, the first on top.
fn rule(field: &Field, number: usize, rule: &Rule) -> Group {
    let x = field.x(rule.at.clamp(0.0, field.columns as f64));
    let y = ABOVE + LETTER * 1.4 * (number as f64 + 0.7);
    // To the left of the rule where there is no room to its right.
    let longest = width_of(&rule.says.zh).max(width_of(&rule.says.en)) * LETTER;
    let (dx, anchor) = if x + longest + 6.0 > field.right {
        (-5.0, "end")
    } else {
        (5.0, "start")
    };
    let says = text("", (x + dx, y), anchor)
        .add(TSpan::new(rule.says.zh.as_str()).set("class", "zh"))
        .add(TSpan::new(rule.says.en.as_str()).set("class", "en only"));
    Group::new()
        .add(line([x, y - LETTER * 0.8, x, field.bottom], "rule"))
        .add(says)
}

/// The whole chart at one size.
pub(super) fn chart(plot: &Plot, size: Size) -> String {
    let (width, height, name) = size;
    let field = Field::of(plot, size);
    let [title_id, about_id] = ["title", "about"].map(|it| format!("{}-{name}-{it}", plot.id));
    let both = |zh: &str, en: &str| format!("{zh} {en}");
    let mut drawing = Document::new()
        .set("viewBox", (0.0, 0.0, width, height))
        .set("class", name)
        .set("role", "img")
        .set("aria-labelledby", title_id.as_str())
        .set("aria-describedby", about_id.as_str())
        .add(Title::new(both(plot.title.zh, plot.title.en)).set("id", title_id.as_str()))
        .add(
            Description::new()
                .set("id", about_id.as_str())
                .add(svg::node::Text::new(both(&plot.about.zh, &plot.about.en))),
        )
        .add(textures(plot, name, plot.series.iter().map(|it| it.look)))
        .add(axes(plot, &field));
    drawing.append(match plot.shape {
        Shape::Stacked => stacked(plot, &field, name),
        Shape::Lines => lines(plot, &field),
    });
    for (number, it) in plot.rules.iter().enumerate() {
        drawing.append(rule(&field, number, it));
    }
    drawing.to_string()
}

/// The small picture beside a series' name.
pub(super) fn key(plot: &Plot, series: &Series) -> String {
    let look = series.look;
    let drawing = Document::new()
        .set("viewBox", (0.0, 0.0, KEY, KEY))
        .set("class", "key")
        .set("aria-hidden", "true");
    let half = KEY / 2.0;
    match plot.shape {
        Shape::Stacked => drawing
            .add(textures(plot, "key", std::iter::once(look)))
            .add(area(plot, "key", look, [0.0, 0.0, KEY, KEY])),
        Shape::Lines => drawing
            .add(
                line([0.0, half, KEY, half], &format!("stroke {}", look.class()))
                    .set("stroke-dasharray", dash(look)),
            )
            .add(mark(look, half, half)),
    }
    .to_string()
}
