//! The font of a PDF: one of the system's that has Chinese characters.
//!
//! Debian's `fonts-noto-cjk` is looked for first, then other known families, then whatever has the characters
//! of this gateway's own name and words. Of a collection the face for simplified Chinese is taken, for the same
//! character looks different in Japan.

use super::ExportError;
use skrifa::charmap::Charmap;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::raw::FileRef;
use skrifa::string::StringId;
use skrifa::{FontRef, MetadataProvider as _};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where Debian and its administrator keep fonts.
const FOLDERS: [&str; 2] = ["/usr/share/fonts", "/usr/local/share/fonts"];

/// Folders within each other that are looked through: distributions have three.
const DEEPEST: usize = 6;

/// Known fonts, best first.
const KNOWN: [&str; 8] = [
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf",
    "SourceHanSansSC-Regular.otf",
    "SourceHanSansCN-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
];

/// A font that has these has what the reports need.
const PROBE: &str = "门神每日一报规定动作体温筛查消毒0123456789ABCabc";

/// A font with Chinese characters.
#[derive(Clone)]
pub struct Font {
    bytes: Arc<Vec<u8>>,
    face: u32,
}

impl Font {
    /// One of the system's.
    ///
    /// # Errors
    /// [`ExportError::NoFont`].
    pub fn installed() -> Result<Self, ExportError> {
        Self::below(&FOLDERS.map(Path::new))
    }

    /// One below these folders.
    ///
    /// # Errors
    /// [`ExportError::NoFont`].
    pub fn below(folders: &[&Path]) -> Result<Self, ExportError> {
        let mut files = Vec::new();
        for folder in folders {
            collect(folder, DEEPEST, &mut files);
        }
        let rank = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default();
            let known = KNOWN.iter().position(|it| name == *it);
            (known.unwrap_or(KNOWN.len()), path.clone())
        };
        files.sort_by_key(rank);
        let font = files.iter().find_map(|path| Self::read(path));
        font.ok_or(ExportError::NoFont)
    }

    /// The face of a file that can be used; `None` where there is none.
    fn read(path: &Path) -> Option<Self> {
        let bytes = fs::read(path).ok()?;
        let faces: Vec<(u32, bool)> = FileRef::new(&bytes)
            .ok()?
            .fonts()
            .zip(0..)
            .filter_map(|(face, number)| {
                let face = face.ok().filter(has_chinese)?;
                Some((number, is_simplified(&face)))
            })
            .collect();
        let simplified = faces.iter().find(|(_, simplified)| *simplified);
        let (face, _) = *simplified.or(faces.first())?;
        Some(Self {
            bytes: Arc::new(bytes),
            face,
        })
    }

    /// For the file.
    pub(super) fn embedded(&self) -> Option<krilla::text::Font> {
        krilla::text::Font::new(Arc::clone(&self.bytes).into(), self.face)
    }

    /// For measuring.
    pub(super) fn measures(&self) -> Option<Measures<'_>> {
        let face = FontRef::from_index(&self.bytes, self.face).ok()?;
        Some(Measures {
            characters: face.charmap(),
            glyphs: face.glyph_metrics(Size::new(1.0), LocationRef::default()),
        })
    }
}

/// Files of fonts below a folder; what cannot be read holds none.
fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let ends = path
            .extension()
            .and_then(|it| it.to_str())
            .unwrap_or_default();
        if path.is_dir() && depth > 0 {
            collect(&path, depth - 1, found);
        } else if matches!(ends, "ttc" | "otf" | "ttf") {
            found.push(path);
        }
    }
}

fn has_chinese(face: &FontRef<'_>) -> bool {
    let characters = face.charmap();
    PROBE.chars().all(|c| characters.map(c).is_some())
}

/// Whether a face is the one for simplified Chinese, by the names that it has.
fn is_simplified(face: &FontRef<'_>) -> bool {
    face.localized_strings(StringId::FAMILY_NAME)
        .any(|name| name.to_string().ends_with(" SC"))
}

/// How wide characters are.
pub(super) struct Measures<'a> {
    characters: Charmap<'a>,
    glyphs: GlyphMetrics<'a>,
}

impl Measures<'_> {
    /// The number of a character's glyph, and how wide it is at size 1. A character that the font lacks has
    /// the box that stands for such.
    pub(super) fn of(&self, character: char) -> (u32, f32) {
        let glyph = self.characters.map(character).unwrap_or_default();
        let width = self.glyphs.advance_width(glyph).unwrap_or_default();
        (glyph.to_u32(), width)
    }

    /// How wide a text is at a size.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|c| self.of(c).1).sum::<f32>() * size
    }
}
