//! What is known of recordings and of rendered scenes: labels, index, truth.

use crate::camera::simulator::WireTruth;
use crate::evaluate::{Class, Flag, Known, SeenFace, SeenFrame};
use crate::face::Landmarks;
use crate::units::{PixelBox, PixelPoint};
use anyhow::{Context as _, anyhow, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Where the five points of a short label stand among the eight: eyes, nose, corners of the mouth.
const FIVE: [usize; 5] = [0, 1, 4, 5, 6];
const EIGHT: [usize; Landmarks::COUNT] = [0, 1, 2, 3, 4, 5, 6, 7];

/// A rendered face is to be found up to this turn, degrees: beyond it only one eye is seen.
const TURNED_DEG: f32 = 60.0;
/// A head turned further than this is seen from behind, degrees.
const BACK_DEG: f32 = 120.0;
/// Share of a rendered face that must be seen for it to be found.
const VISIBLE: f32 = 0.7;
/// Narrower rendered faces need not be found, pixels.
const LEAST_WIDTH: f32 = 10.0;

/// A frame that somebody looked at.
#[derive(Debug)]
pub(super) struct LabelledFrame {
    pub(super) seen: SeenFrame,
    /// Profile, cut, tiny: not to be scored.
    pub(super) ambiguous: bool,
    /// Somebody is seen from behind.
    pub(super) back_of_head: bool,
}

/// Frames in which somebody looked and saw no face that may be measured.
#[derive(Debug, Deserialize)]
pub(super) struct Span {
    pub(super) file: String,
    from: u64,
    to: u64,
    why: String,
    #[serde(default)]
    areas: Vec<[f32; 4]>,
}

impl Span {
    pub(super) const fn frames(&self) -> std::ops::RangeInclusive<u64> {
        self.from..=self.to
    }

    /// Whether somebody is seen from behind in it.
    pub(super) fn is_back(&self) -> bool {
        self.why.contains("back")
    }

    pub(super) fn seen(&self) -> SeenFrame {
        SeenFrame {
            ignore: self.areas.iter().copied().map(area).collect(),
            ..SeenFrame::default()
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Wears {
    glasses: Option<bool>,
    mask: Option<bool>,
    brow: Option<bool>,
}

impl Wears {
    const fn all(self) -> [Option<bool>; 3] {
        [self.glasses, self.mask, self.brow]
    }
}

/// All labels of some recordings.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// By recording and number of the frame.
    pub(super) frames: BTreeMap<String, BTreeMap<u64, LabelledFrame>>,
    pub(super) spans: Vec<Span>,
}

#[derive(Deserialize)]
struct WireFrame {
    file: String,
    frame: u64,
    #[serde(default)]
    faces: Vec<WireFace>,
    #[serde(default)]
    ignore: Vec<WireArea>,
    /// Faces seen from the side: found or not, both are right.
    #[serde(default)]
    profile: Vec<WireArea>,
    #[serde(default)]
    ambiguous: bool,
    #[serde(default)]
    back_of_head: bool,
}

#[derive(Deserialize)]
struct WireFace {
    #[serde(rename = "box")]
    area: [f32; 4],
    /// x, y of five points or of the eight of [`Landmarks::points`]; `null` where nobody knows.
    points: Option<Vec<Option<f32>>>,
    #[serde(flatten)]
    wears: Wears,
    yaw_deg: Option<f32>,
    pitch_deg: Option<f32>,
    roll_deg: Option<f32>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireArea {
    Plain([f32; 4]),
    Named {
        #[serde(rename = "box")]
        area: [f32; 4],
    },
}

#[derive(Deserialize)]
struct WireSpans {
    no_face: Vec<Span>,
}

impl Labels {
    /// Reads label files: lists of frames, or an object of spans. Of two labels of one frame the
    /// later one counts.
    pub(super) fn read<P: AsRef<Path>>(files: &[P]) -> anyhow::Result<Self> {
        let mut labels = Self::default();
        for path in files.iter().map(AsRef::as_ref) {
            let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
            labels
                .take(&text)
                .with_context(|| format!("{}: no labels", path.display()))?;
        }
        Ok(labels)
    }

    fn take(&mut self, text: &str) -> anyhow::Result<()> {
        if text.trim_start().starts_with('{') {
            let spans: WireSpans = serde_json::from_str(text)?;
            self.spans.extend(spans.no_face);
            return Ok(());
        }
        for wire in serde_json::from_str::<Vec<WireFrame>>(text)? {
            let faces = wire.faces.into_iter().map(seen_face);
            let ignore = wire.ignore.into_iter().chain(wire.profile);
            let labelled = LabelledFrame {
                seen: SeenFrame {
                    faces: faces
                        .collect::<anyhow::Result<_>>()
                        .with_context(|| format!("{}, frame {}", wire.file, wire.frame))?,
                    ignore: ignore.map(WireArea::area).collect(),
                    backs: Vec::new(),
                },
                ambiguous: wire.ambiguous,
                back_of_head: wire.back_of_head,
            };
            let of_file = self.frames.entry(wire.file).or_default();
            of_file.insert(wire.frame, labelled);
        }
        Ok(())
    }
}

impl WireArea {
    const fn area(self) -> PixelBox {
        match self {
            Self::Plain(edges) | Self::Named { area: edges } => area(edges),
        }
    }
}

const fn area([left, top, right, bottom]: [f32; 4]) -> PixelBox {
    PixelBox {
        left,
        top,
        right,
        bottom,
    }
}

fn seen_face(wire: WireFace) -> anyhow::Result<SeenFace> {
    let mut points = [None; Landmarks::COUNT];
    let flat = wire.points.unwrap_or_default();
    let places: &[usize] = match flat.len() {
        0 => &[],
        10 => &FIVE,
        16 => &EIGHT,
        other => return Err(anyhow!("{other} numbers for points, not 10 or 16")),
    };
    for (&place, pair) in places.iter().zip(flat.chunks_exact(2)) {
        if let [Some(x), Some(y)] = *pair {
            points[place] = Some(PixelPoint { x, y });
        }
    }
    Ok(SeenFace {
        area: area(wire.area),
        points,
        wears: wire.wears.all(),
        pose: [wire.yaw_deg, wire.pitch_deg, wire.roll_deg],
    })
}

/// A line of an index of recordings.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) known: Known,
    /// What is special about it, where somebody went through it.
    pub(super) feature: Option<String>,
}

impl Listed {
    /// Whether people in it are said to wear this; a mask has no word in the index.
    pub(super) fn wears(&self, flag: Flag) -> Option<bool> {
        let word = match flag {
            Flag::Glasses => "Glasses",
            Flag::Brow => "Hat",
            Flag::Mask => return None,
        };
        let feature = self.feature.as_ref()?;
        Some(feature.split(',').any(|it| it.trim() == word))
    }
}

/// Reads `index.csv`: by recording, what is known of it.
pub(super) fn index(text: &str) -> anyhow::Result<BTreeMap<String, Listed>> {
    let mut lines = text.lines();
    let names = fields(lines.next().unwrap_or_default());
    let column = |name: &str| {
        names
            .iter()
            .position(|it| it == name)
            .ok_or_else(|| anyhow!("there is no column {name}"))
    };
    let (file, class) = (column("file")?, column("class")?);
    let (people, feature) = (column("people_to_screen")?, column("feature")?);
    let mut listed = BTreeMap::new();
    for line in lines.map(fields) {
        ensure!(
            line.len() == names.len(),
            "{line:?}: not {} fields",
            names.len()
        );
        let (class, people) = (&line[class], &line[people]);
        let known = Known {
            class: Class::parse(class).ok_or_else(|| anyhow!("{class:?} is no class"))?,
            people: match people.as_str() {
                "" => None,
                number => Some(number.parse().with_context(|| number.to_owned())?),
            },
        };
        let feature = known.people.map(|_| line[feature].clone());
        listed.insert(line[file].clone(), Listed { known, feature });
    }
    Ok(listed)
}

/// The fields of one line; commas within quotes do not separate.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    fields.push(field);
    fields
}

/// What of a rendered scene is to be found, what is not, and what is seen from behind.
pub(super) fn seen_scene(truth: &WireTruth) -> SeenFrame {
    let mut seen = SeenFrame::default();
    for person in &truth.people {
        let turn = turned(person.yaw_deg);
        let area = area(person.area);
        let shown = person.visible >= VISIBLE && area.width() >= LEAST_WIDTH;
        if turn >= BACK_DEG {
            seen.backs.push(self::area(person.head));
        } else if let Some(flat) = person.points.filter(|_| shown && turn <= TURNED_DEG) {
            let mut points: [Option<PixelPoint>; Landmarks::COUNT] = std::array::from_fn(|index| {
                let (x, y) = (flat[2 * index], flat[2 * index + 1]);
                Some(PixelPoint { x, y })
            });
            // Behind glasses or the nose a canthus is somewhere, but nobody can see where.
            for (point, canthus) in points[2..4].iter_mut().zip(person.canthi) {
                *point = canthus.map(|[x, y]| PixelPoint { x, y });
            }
            seen.faces.push(SeenFace {
                area,
                points,
                wears: [person.glasses, person.mask, person.brow].map(Some),
                pose: [person.yaw_deg, person.pitch_deg, person.roll_deg].map(Some),
            });
        } else {
            seen.ignore.push(self::area(person.head));
        }
    }
    seen
}

/// How far a head is turned away from the camera, 0…180°.
fn turned(yaw_deg: f32) -> f32 {
    let turn = yaw_deg.rem_euclid(360.0);
    turn.min(360.0 - turn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_labels_are_read() {
        let text = r#"[{"file":"a.cptv","frame":3,"ambiguous":false,"back_of_head":true,
            "ignore":[[1,2,3,4]],"profile":[{"box":[5,6,7,8],"score":0.3}],
            "faces":[{"box":[1,2,11,12],"points":[1,2,3,4,5,6,7,8,9,10],"glasses":true,"mask":null},
                     {"box":[0,0,9,9],"points":null,"yaw_deg":-4.5},
                     {"box":[0,0,9,9],"points":[0,1,2,3,null,null,6,7,8,9,10,11,12,13,14,15]}]}]"#;
        let mut labels = Labels::default();
        labels.take(text).unwrap();
        let frame = &labels.frames["a.cptv"][&3];
        assert!(frame.back_of_head && !frame.ambiguous);
        assert_eq!(frame.seen.ignore[1].left, 5.0);
        let [five, none, eight] = &frame.seen.faces[..] else {
            panic!("three faces")
        };
        assert_eq!(five.points[4], Some(PixelPoint { x: 5.0, y: 6.0 }));
        assert_eq!((five.points[2], five.points[7]), (None, None));
        assert_eq!(five.wears, [Some(true), None, None]);
        assert_eq!((none.points, none.pose[0]), ([None; 8], Some(-4.5)));
        assert_eq!(eight.points[2], None);
        assert_eq!(eight.points[7], Some(PixelPoint { x: 14.0, y: 15.0 }));
    }

    #[test]
    fn wrong_points_are_refused() {
        let text = r#"[{"file":"a","frame":3,"faces":[{"box":[1,2,11,12],"points":[1,2,3]}]}]"#;
        let refused = Labels::default().take(text).unwrap_err();
        assert_eq!(
            format!("{refused:#}"),
            "a, frame 3: 3 numbers for points, not 10 or 16"
        );
    }

    #[test]
    fn the_later_label_of_a_frame_counts_and_spans_are_kept() {
        let mut labels = Labels::default();
        for text in [
            r#"[{"file":"a","frame":3,"faces":[{"box":[1,2,11,12]}]}]"#,
            r#"{"no_face":[{"file":"b","from":1,"to":2,"why":"back and profile"}]}"#,
            r#"[{"file":"a","frame":3,"faces":[{"box":[1,2,11,12],"brow":true}]}]"#,
        ] {
            labels.take(text).unwrap();
        }
        let faces = &labels.frames["a"][&3].seen.faces;
        assert_eq!((faces.len(), faces[0].wears[2]), (1, Some(true)));
        assert!(labels.spans[0].is_back());
        assert_eq!(labels.spans[0].frames().count(), 2);
    }

    #[test]
    fn an_index_is_read_with_its_quotes_and_gaps() {
        let text = "file,class,people_to_screen,feature\n\
                    a.cptv,near_frontal,1,\"Tall,Glasses\"\n\
                    b.cptv,empty,0,\n\
                    c.cptv,near_frontal,,";
        let index = index(text).unwrap();
        assert_eq!(index["a.cptv"].known.people, Some(1));
        let glasses = ["a.cptv", "b.cptv", "c.cptv"].map(|it| index[it].wears(Flag::Glasses));
        assert_eq!(glasses, [Some(true), Some(false), None]);
        assert_eq!(index["a.cptv"].wears(Flag::Brow), Some(false));
        assert_eq!(index["a.cptv"].wears(Flag::Mask), None);
        let wrong = super::index("file,class,people_to_screen,feature\na,sideways,,");
        assert_eq!(wrong.unwrap_err().to_string(), "\"sideways\" is no class");
        assert!(super::index("file,class\n").is_err());
    }

    #[test]
    fn the_turn_of_a_head_knows_no_sign_and_no_round() {
        assert_eq!(
            [0.0, -30.0, 200.0, -350.0, 180.0].map(turned),
            [0.0, 30.0, 160.0, 10.0, 180.0]
        );
    }
}
