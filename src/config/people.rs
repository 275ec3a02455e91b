//! The register's configuration: where its key lies, and its rules as a file, `src/people/rules.toml` where
//! no other is named. Whatever is wrong in that file is said at once with its place and what to do.
//!
//! Only [`PeopleConfig::rules`] and [`rules_of`]'s caller touch the disk; they read one small file.

use super::ConfigError;
use super::checklist::item::{both, word_of};
use super::checklist::tree::{Node, Reading};
use super::environment::{secret_file, text_of};
use crate::calendar::{Date, TimeOfDay};
use crate::people::{Colour, Field, FieldRule, Region, RegionKind, Rules, RulesParts};
use crate::store::usual_key_file;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The rules that are built in.
const SHIPPED: &str = include_str!("../people/rules.toml");

/// The register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeopleConfig {
    /// The file with its key; without it one beside the database.
    pub key_file: Option<PathBuf>,
    /// The file with its rules; without it those that are shipped.
    pub rules: Option<PathBuf>,
}

impl PeopleConfig {
    /// Where the key lies, for a database in this folder.
    #[must_use]
    pub fn key_file(&self, data: &Path) -> PathBuf {
        match &self.key_file {
            Some(file) => secret_file(file),
            None => usual_key_file(data),
        }
    }

    /// The rules.
    ///
    /// # Errors
    /// [`ConfigError`] with everything that is wrong with them.
    pub fn rules(&self) -> Result<Rules, ConfigError> {
        match &self.rules {
            Some(path) => {
                let name = path.display().to_string();
                rules_of(&text_of(path, &name)?, &name)
            }
            None => rules_of(SHIPPED, "people/rules.toml"),
        }
    }
}

/// Rules from the text of a file; `file_name` is what errors call it.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong with it.
pub fn rules_of(text: &str, file_name: &str) -> Result<Rules, ConfigError> {
    Reading::whole(text, file_name, |read, root| {
        read.only(
            root,
            &[
                "version",
                "observation_days",
                "mask_below",
                "daily_cap",
                "remind_at",
                "deliveries",
                "region",
                "measure",
                "field",
            ],
        );
        let version = read.version(root, "version");
        let days = read.number(root, "observation_days", (1, 60));
        let mask = read.number(root, "mask_below", (0, 20));
        let cap = read.number(root, "daily_cap", (1, 1_000_000));
        let remind = read.maybe(root, "remind_at", str::parse::<TimeOfDay>);
        let place = read.table(root, "deliveries");
        read.only(&place, &["zh", "en"]);
        let deliveries = both(read, &place);
        let mut regions = Vec::new();
        for node in read.tables(root, "region") {
            regions.extend(region(read, &node));
        }
        let mut measures = BTreeMap::new();
        for node in read.tables(root, "measure") {
            read.only(&node, &["colour", "zh", "en"]);
            let colour = read.must(&node, "colour", |word| {
                word_of(
                    word,
                    Colour::parse,
                    Colour::ALL.iter().map(|it| it.as_str()),
                )
            });
            if let (Some(colour), Some(what)) = (colour, both(read, &node)) {
                let of_colour: &mut Vec<_> = measures.entry(colour.value).or_default();
                of_colour.push(what);
            }
        }
        let mut fields = BTreeMap::new();
        for node in read.tables(root, "field") {
            fields.extend(field(read, &node));
        }
        let parts = RulesParts {
            version: version?.value,
            observation_days: u16::try_from(days?.value).ok()?,
            mask_below: mask.map_or(0, |it| it.value),
            daily_cap: cap.map(|it| it.value),
            remind_at: remind.map(|it| it.value),
            deliveries: deliveries?,
            regions,
            measures,
            fields,
        };
        match Rules::new(parts) {
            Ok(rules) => Some(rules),
            Err(flaw) => {
                let hint = "look at the rules that are shipped: src/people/rules.toml";
                read.problem(0..0, &flaw.to_string(), hint);
                None
            }
        }
    })
}

fn region<'t>(read: &mut Reading<'t>, node: &Node<'_, 't>) -> Option<Region> {
    read.only(node, &["kind", "zh", "en", "words", "from", "until"]);
    let kind = read.must(node, "kind", |word| {
        let words = RegionKind::ALL.iter().map(|it| it.as_str());
        word_of(word, RegionKind::parse, words)
    });
    let name = both(read, node);
    let words = read.list(node, "words", |word| Ok(word.trim().to_lowercase()));
    let from = read.must(node, "from", str::parse::<Date>);
    let until = read.maybe(node, "until", str::parse::<Date>);
    Some(Region {
        name: name?,
        words: words.into_iter().map(|it| it.value).collect(),
        kind: kind?.value,
        from: from?.value,
        until: until.map(|it| it.value),
    })
}

fn field<'t>(read: &mut Reading<'t>, node: &Node<'_, 't>) -> Option<(Field, FieldRule)> {
    read.only(node, &["id", "zh", "en", "keep_days"]);
    let id = read.must(node, "id", |word| {
        word_of(word, Field::parse, Field::ALL.iter().map(|it| it.as_str()))
    });
    let purpose = both(read, node);
    let days = read.number(node, "keep_days", (1, 366));
    if !node.has("keep_days") {
        let hint =
            "write how many days it is kept after the last thing that happened: keep_days = 28";
        read.problem(node.span.clone(), "field has no keep_days", hint);
    }
    let rule = FieldRule {
        purpose: purpose?,
        keep_days: u16::try_from(days?.value).ok()?,
    };
    Some((id?.value, rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_rules_are_usable() {
        let rules = PeopleConfig::default().rules().unwrap();
        assert_eq!(rules.observation_days, 14);
        assert_eq!(rules.remind_at, "16:00".parse().ok());
        let day = "2020-02-10".parse().unwrap();
        let kind = |text: &str| rules.region_in(text, day).map(|it| it.kind);
        assert_eq!(kind("湖北省武汉市"), Some(RegionKind::Key));
        assert_eq!(kind("Wuhan, Hubei"), Some(RegionKind::Key));
        assert_eq!(kind("浙江温州"), Some(RegionKind::OtherKey));
        assert_eq!(kind("江苏苏州"), None);
        for colour in Colour::ALL {
            assert!(rules.measures(*colour).len() >= 2, "{colour:?}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let wrong = SHIPPED
            .replace("observation_days = 14", "observation_days = 0")
            .replace("colour = \"green\"", "colour = \"blue\"")
            .replace("id = \"phone\"", "id = \"fax\"")
            .replace("16:00", "4 pm")
            .replace("from = \"2020-01-23\"", "from = \"2020-01-32\"");
        let error = rules_of(&wrong, "rules.toml").unwrap_err().to_string();
        for said in [
            "from 1 to 60",
            "\"blue\" is not known",
            "\"fax\" is not known",
            "2020-01-32",
            "\"4 pm\" is no time of day",
        ] {
            assert!(error.contains(said), "{said}: {error}");
        }
    }

    #[test]
    fn a_key_is_beside_the_database_where_nobody_says_otherwise() {
        let config = PeopleConfig::default();
        let file = config.key_file(Path::new("/var/lib/menshen"));
        assert_eq!(file, Path::new("/var/lib/menshen/people.key"));
    }
}
