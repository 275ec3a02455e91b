//! What is wrong with a configuration, said so that a person can mend it: file, line and column,
//! the line itself with a caret under the place, and a `hint:` that says what to do.
//!
//! The value of anything that looks like a password is never shown: people paste such messages
//! into chats and bug reports. Nothing here blocks.

use std::fmt;
use std::ops::Range;

/// Longest part of a line that is shown, in characters.
const WIDEST: usize = 120;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// The line, with passwords hidden and control characters replaced.
    shown: String,
    /// What stands below the line: space up to the caret, then the caret.
    caret: String,
}

/// A configuration that cannot be used, with everything that is wrong with it.
///
/// Prints over several lines; each problem ends with its `hint:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file's name, as it was given.
    pub file: String,
    /// What is wrong; empty where the file itself could not be read.
    pub problems: Vec<Problem>,
    /// Why the file could not be read, with its hint.
    unreadable: Option<(String, String)>,
}

impl ConfigError {
    /// A file that could not be read at all.
    pub(super) fn unreadable(file: &str, why: String, hint: &str) -> Self {
        Self {
            file: file.to_owned(),
            problems: Vec::new(),
            unreadable: Some((why, hint.to_owned())),
        }
    }

    /// A file with problems, in the order of their places.
    pub(super) fn of(file: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| (problem.line, problem.column));
        Self {
            file: file.to_owned(),
            problems,
            unreadable: None,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = printable(&self.file);
        if let Some((why, hint)) = &self.unreadable {
            return write!(f, "{file}: {why}\nhint: {hint}");
        }
        for (number, problem) in self.problems.iter().enumerate() {
            if number > 0 {
                f.write_str("\n\n")?;
            }
            let Problem {
                line,
                column,
                message,
                hint,
                shown,
                caret,
            } = problem;
            let margin = " ".repeat(line.to_string().len());
            write!(f, "{file}:{line}:{column}: {message}\n{margin} |\n")?;
            write!(f, "{line} | {shown}\n{margin} | {caret}\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl Problem {
    /// A problem at a place of the text, bytes. Places beyond the text, or inside of a character,
    /// are moved to the next one that exists.
    pub(super) fn at(text: &str, span: Range<usize>, message: &str, hint: &str) -> Self {
        let start = text.floor_char_boundary(span.start);
        let head = text.get(..start).unwrap_or_default();
        let line_start = head.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = text.get(line_start..).unwrap_or_default();
        let whole = rest.split(['\n', '\r']).next().unwrap_or_default();
        let before = head.get(line_start..).unwrap_or_default().chars().count();
        let end = text.floor_char_boundary(span.end.max(start));
        let marked = text.get(start..end).unwrap_or_default();
        let marked = marked.split(['\n', '\r']).next().unwrap_or_default();

        let visible = without_password(text, line_start, whole);
        // A long line is shown from a little before the place.
        let skip = if before > WIDEST / 2 { before - 20 } else { 0 };
        let shown: String = visible.chars().skip(skip).take(WIDEST).collect();
        let caret = caret_below(&shown, before - skip, marked.chars().count());
        Self {
            line: head.matches('\n').count() + 1,
            column: before + 1,
            message: printable(message),
            hint: printable(hint),
            shown: printable(&shown),
            caret,
        }
    }
}

/// Space as wide as the first `before` characters of the line, then a caret for each marked one.
fn caret_below(shown: &str, before: usize, marked: usize) -> String {
    let mut characters = shown.chars();
    // A wide character has a wide space below it, a tab a tab: so the caret stands under its
    // place in any terminal.
    let mut caret: String = characters
        .by_ref()
        .take(before)
        .map(|character| match character {
            '\t' => '\t',
            wide if is_wide(wide) => '\u{3000}',
            _ => ' ',
        })
        .collect();
    let mut any = false;
    for character in characters.take(marked) {
        caret.push_str(if is_wide(character) { "^^" } else { "^" });
        any = true;
    }
    if !any {
        caret.push('^');
    }
    caret
}

/// Chinese, Japanese, Korean and their punctuation take two columns (Unicode TR 11).
fn is_wide(character: char) -> bool {
    matches!(u32::from(character),
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1_f300..=0x1_faff
        | 0x2_0000..=0x3_fffd)
}

/// The text without characters that would move the cursor or colour the terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\t' => '\t',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Whether a key of this name, perhaps misspelt, holds something that must not be shown.
/// `password_file` does not: it holds a path.
pub(super) fn is_secret(name: &str) -> bool {
    let name: String = name.chars().take(200).collect();
    let name = name.to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default().trim();
    let word = last.trim_matches(['"', '\'']);
    !word.ends_with("_file")
        && (strsim::jaro_winkler(word, "password") > 0.8
            || ["pass", "secret", "token", "credential", "api_key"]
                .iter()
                .any(|part| word.contains(part)))
}

/// The line with the value of each secret key hidden. A line that may be inside of a secret's
/// text over several lines is hidden as a whole.
fn without_password(text: &str, line_start: usize, line: &str) -> String {
    let earlier = text.get(..line_start).unwrap_or_default();
    let inside = earlier
        .rfind(['='])
        .filter(|&sign| is_secret(key_before(earlier, sign)))
        .is_some_and(|sign| {
            let value = earlier.get(sign..).unwrap_or_default();
            value.contains("\"\"\"") || value.contains("'''") || value.contains('[')
        });
    if inside && !line.trim_start().starts_with('[') {
        return "***".to_owned();
    }
    for (sign, _) in line.match_indices(['=', ':']) {
        if is_secret(key_before(line, sign)) {
            let head = line.get(..=sign).unwrap_or_default();
            return format!("{head} ***");
        }
    }
    line.to_owned()
}

/// The word before a sign: the key that is given a value there.
fn key_before(text: &str, sign: usize) -> &str {
    let head = text.get(..sign).unwrap_or_default();
    let head = head.rsplit(['\n', ',', '{']).next().unwrap_or_default();
    head.trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str, span: Range<usize>) -> Problem {
        Problem::at(text, span, "wrong", "mend it")
    }

    #[test]
    fn the_caret_stands_under_its_place() {
        let text = "[a]\nname = \"门神\" x\n";
        let place = text.find('x').expect("is there");
        let problem = problem(text, place..place + 1);
        assert_eq!((problem.line, problem.column), (2, 13));
        assert_eq!(problem.caret, "        \u{3000}\u{3000}  ^");
    }

    #[test]
    fn any_place_in_any_text_is_shown_without_panic() {
        for text in ["", "\n", "门\r\n神", "\t\u{7}x", "a = 1"] {
            for start in 0..text.len() + 2 {
                for end in 0..text.len() + 3 {
                    let shown = ConfigError::of("f", vec![problem(text, start..end)]).to_string();
                    assert!(shown.contains("hint: mend it"), "{shown}");
                    assert!(!shown.contains('\u{7}'));
                }
            }
        }
    }

    #[test]
    fn passwords_are_hidden_in_every_shape() {
        for text in [
            "password = \"hunter2\"",
            "  Passwd=hunter2",
            "mqtt = { host = \"h\", password = \"hunter2\" }",
            "mqtt.password = 'hunter2",
            "password: hunter2",
            "\"password\" = \"hunter2\"",
            "access_token = \"hunter2\"",
            "mqtt.pasword = 'hunter2",
            "passwrod = 'hunter2",
            "password = \"\"\"\nhunter2",
            "password = [\n\"hunter2",
        ] {
            for start in 0..text.len() {
                let shown = problem(text, start..text.len()).shown;
                assert!(!shown.contains("hunter2"), "{text:?} gave {shown:?}");
            }
        }
        let kept = problem("password_file = 3", 0..1).shown;
        assert_eq!(kept, "password_file = 3");
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let text = format!("a = \"{}\" x", "b".repeat(5000));
        let problem = problem(&text, text.len() - 1..text.len());
        assert!(problem.shown.chars().count() <= WIDEST);
        assert!(problem.shown.ends_with('x'));
        assert_eq!(problem.caret.len(), problem.shown.len());
    }
}
