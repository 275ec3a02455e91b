//! The six lists as they ship, sites' own files, and rounds that several people tick at once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

#[path = "checklist/rounds.rs"]
mod rounds;

use assert_cmd::Command;
use menshen::checklist::{Category, Diff, Duty, Proof, SiteKind, Template};
use menshen::config::ConfigError;
use menshen::config::checklist::{newest, parse_site, parse_template, shipped_procedure, versions};
use menshen::procedure::{Chapter, ClauseId};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs;

const OFFICE: &str = include_str!("../src/checklist/templates/office.toml");

/// What a site writes, below its `[site]`.
const SITE: &str = r#"[site]
kind = "office"
built_on = 1
leave_out = ["off-vanguard"]
photo = ["off-isolation-room"]
[hours]
open = "08:00-20:00"
shifts = ["06:00-14:00", "14:00-22:00", "22:00-06:00"]
[owners.category]
gate = "王芳"
[owners.item]
off-air-fresh = "李强"
[[change]]
id = "off-lift-buttons"
when = "every 30 min"
[[change]]
id = "off-mix"
proof = "number 300..450 mg/L"
[[item]]
id = "own-nursery"
category = "disinfection"
required = false
zh = "托儿所玩具消毒"
en = "Toys of the nursery are disinfected"
who = "cleaner"
when = "daily by 18:00"
proof = "tick"
clause = "4.3"
"#;

fn all() -> Vec<Template> {
    SiteKind::ALL
        .iter()
        .map(|it| newest(*it).unwrap())
        .collect()
}

fn counts(list: &Template) -> (usize, usize) {
    let of = |duty| list.items().iter().filter(|it| it.duty == duty).count();
    (of(Duty::Required), of(Duty::Optional))
}

/// The one message of a refused text, with its hint and line.
fn refused<T: std::fmt::Debug>(result: Result<T, ConfigError>) -> (String, usize) {
    let error = result.unwrap_err();
    let line = error.problems.first().map_or(0, |it| it.line);
    (error.to_string(), line)
}

fn line_of(text: &str, part: &str) -> usize {
    let at = text.find(part).unwrap();
    text[..at].matches('\n').count() + 1
}

#[test]
fn the_counts_are_those_of_the_source() {
    let residential = newest(SiteKind::Residential).unwrap();
    assert_eq!(counts(&residential), (25, 14));
    assert_eq!(residential.count(Category::Closed), (4, 0));
    for list in all().iter().filter(|it| it.site != SiteKind::Residential) {
        let (required, optional) = counts(list);
        assert!(
            required + optional < 39,
            "the residential list is the longest"
        );
        assert!(required >= 15 && optional >= 5, "{}", list.site.as_str());
    }
}

#[test]
fn ids_stay_for_ever() {
    let mut lines = Vec::new();
    for list in all() {
        for item in list.items() {
            let (site, category) = (list.site.as_str(), item.category.as_str());
            lines.push(format!(
                "{site} {} {category} {}\n",
                item.id,
                item.duty.as_str()
            ));
        }
    }
    assert_eq!(
        lines.concat(),
        include_str!("checklist/ids.txt"),
        "trends and sites' files hold on to ids: a new item is a new line of tests/checklist/ids.txt \
         and a new version of the list; no line is changed"
    );
}

#[test]
fn every_item_can_be_acted_on() {
    let procedure = shipped_procedure().unwrap();
    let mut ids = BTreeSet::new();
    for list in all() {
        for item in list.items() {
            assert!(ids.insert(item.id.clone()), "{} is in two lists", item.id);
            assert!(item.clause.is_none_or(|id| procedure.clause(id).is_some()));
            assert!(!item.photo);
            if list.site == SiteKind::Office {
                assert!(item.clause.is_some(), "{}", item.id);
            }
            // A hygienic limit names where it comes from.
            if let Proof::Number(range) = &item.proof
                && ["mg/L", "°C", "%"].contains(&range.unit())
            {
                assert!(item.source.is_some(), "{}", item.id);
            }
        }
        let categories: BTreeSet<_> = list.items().iter().map(|it| it.category).collect();
        for needed in [
            Category::Organisation,
            Category::Survey,
            Category::Temperature,
            Category::Disinfection,
            Category::Feedback,
            Category::Others,
        ] {
            assert!(categories.contains(&needed), "{}", list.site.as_str());
        }
    }
}

#[test]
fn every_category_of_the_office_has_a_clause_and_every_chapter_an_item() {
    let office = newest(SiteKind::Office).unwrap();
    let chapters: BTreeSet<_> = office
        .items()
        .iter()
        .filter_map(|it| it.clause)
        .map(ClauseId::chapter)
        .collect();
    assert_eq!(chapters.len(), Chapter::ALL.len());
}

#[test]
fn versions_ascend_and_begin_at_one() {
    for kind in SiteKind::ALL {
        let numbers: Vec<u32> = versions(*kind)
            .unwrap()
            .iter()
            .map(|it| it.version)
            .collect();
        let expected: Vec<u32> = (1..).take(numbers.len()).collect();
        assert_eq!(numbers, expected);
    }
}

/// A part of the office's list, what stands there instead, what is said of it, and a word of the hint.
const WRONG_TEMPLATES: &[(&str, &str, &str, &str)] = &[
    (
        "id = \"off-stock\"",
        "id = \"off-lead\"",
        "two items off-lead",
        "another id",
    ),
    (
        "id = \"off-stock\"",
        "id = \"own-stock\"",
        "begins with own-",
        "letters of its list",
    ),
    (
        "id = \"off-stock\"",
        "id = \"Stock 1\"",
        "is no id",
        "a-z 0-9",
    ),
    (
        "category = \"closed\"",
        "category = \"clsoed\"",
        "not known",
        "closed",
    ),
    (
        "required = false",
        "required = 1",
        "wrong type",
        "true or false",
    ),
    (
        "when = \"every 60 min\"",
        "when = \"hourly\"",
        "no schedule",
        "every 60 min",
    ),
    (
        "number 250..500 mg/L",
        "number 500..250 mg/L",
        "no range",
        "lower number",
    ),
    (
        "number 250..500 mg/L",
        "number 250..500",
        "no range",
        "unit",
    ),
    (
        "clause = \"6.2\"",
        "clause = \"6.99\"",
        "no clause 6.99",
        "templates",
    ),
    (
        "clause = \"6.2\"",
        "clause = \"9.1\"",
        "no number of a clause",
        "3.2",
    ),
    (
        "who = \"gateway\"",
        "who = \"guard\"",
        "gateway fills in",
        "known",
    ),
    (
        "proof = \"tick\"",
        "prof = \"tick\"",
        "unknown key",
        "proof",
    ),
    (
        "disinfection = \"logistics\"",
        "disinfection = \"logistic\"",
        "not known",
        "logistics",
    ),
    ("version = 1", "version = 0", "wrong type", "from 1"),
    (
        "open = \"07:30-19:30\"",
        "open = \"07:30\"",
        "no span",
        "07:30-19:00",
    ),
];

#[test]
fn a_template_that_is_wrong_says_where_and_what_to_do() {
    for (right, wrong, message, hint) in WRONG_TEMPLATES {
        let text = OFFICE.replacen(right, wrong, 1);
        let (said, line) = refused(parse_template(&text, "office"));
        assert!(said.contains(message), "{wrong}: {said}");
        assert!(
            said.split("hint:").nth(1).unwrap().contains(hint),
            "{wrong}: {said}"
        );
        let item = |at: usize| text[..at].matches('\n').count() + 1;
        let near = text.match_indices(wrong).map(|(at, _)| item(at));
        let mut near = near.filter(|near| line <= *near && *near < line + 12);
        assert!(line > 0 && near.next().is_some(), "{wrong}: line {line}");
    }
    for (missing, message) in [("zh = \"清点", "has no zh"), ("en = \"Count", "has no en")] {
        let start = OFFICE.find(missing).unwrap();
        let end = start + OFFICE[start..].find('\n').unwrap();
        let text = format!("{}{}", &OFFICE[..start], &OFFICE[end + 1..]);
        let (said, _) = refused(parse_template(&text, "office"));
        assert!(said.contains(message), "{said}");
    }
    let swapped = OFFICE.replacen("en = \"Count masks", "en = \"清点 masks", 1);
    assert!(
        refused(parse_template(&swapped, "office"))
            .0
            .contains("not English")
    );
    assert!(refused(parse_template("", "empty")).0.contains("hint:"));
    assert!(refused(parse_template("[", "broken")).0.contains("TOML"));
}

#[test]
fn a_site_adds_and_tightens_and_names_people() {
    let site = parse_site(SITE, "site.toml").unwrap();
    let list = &site.list;
    assert_eq!(list.items().len(), 38);
    let item = |id: &str| list.items().iter().find(|it| it.id.as_str() == id);
    assert_eq!(
        item("off-lift-buttons").unwrap().schedule.to_string(),
        "every 30 min"
    );
    assert_eq!(
        item("off-mix").unwrap().proof.to_string(),
        "number 300..450 mg/L"
    );
    assert!(item("off-isolation-room").unwrap().photo);
    assert!(item("off-vanguard").is_none());
    assert_eq!(list.shifts().len(), 3);
    let owner = |id| {
        list.owner(item(id).unwrap())
            .map(|it| it.as_str().to_owned())
    };
    assert_eq!(owner("off-door").as_deref(), Some("王芳"));
    assert_eq!(owner("off-air-fresh").as_deref(), Some("李强"));
    assert_eq!(owner("off-lead"), None);
    assert!(list.unowned().iter().any(|id| id.as_str() == "off-lead"));
    assert!(list.unowned().iter().all(|id| id.as_str() != "off-alerts"));
}

#[test]
fn a_site_cannot_drop_or_weaken_what_is_required() {
    let cases = [
        (
            "\"off-vanguard\"",
            "\"off-door\"",
            "off-door is required",
            "not applicable",
        ),
        (
            "every 30 min",
            "every 90 min",
            "less than the template",
            "never for less",
        ),
        (
            "every 30 min",
            "daily by 18:00",
            "cannot be compared",
            "never for less",
        ),
        (
            "300..450 mg/L",
            "100..500 mg/L",
            "less than the template",
            "never for less",
        ),
        (
            "when = \"every 30 min\"",
            "required = false",
            "is required",
            "keep it",
        ),
        (
            "id = \"own-nursery\"",
            "id = \"off-nursery\"",
            "no name for a site's own",
            "own-",
        ),
        (
            "proof = \"tick\"\nclause",
            "proof = \"known alerts\"\nclause",
            "filled in",
            "tick",
        ),
        (
            "off-air-fresh = ",
            "off-air-frsh = ",
            "no item off-air-frsh",
            "templates",
        ),
        ("built_on = 1", "built_on = 7", "no version 7", "knows 1"),
        (
            "kind = \"office\"",
            "kind = \"ofice\"",
            "not known",
            "office",
        ),
        ("gate = \"王芳\"", "gates = \"王芳\"", "unknown key", "gate"),
        ("gate = \"王芳\"", "gate = \"\"", "empty", "name"),
        (
            "[\"off-isolation-room\"]",
            "\"off-isolation-room\"",
            "wrong type",
            "brackets",
        ),
        (
            "id = \"off-mix\"",
            "id = \"off-lift-buttons\"",
            "twice",
            "keep one",
        ),
    ];
    for (right, wrong, message, hint) in cases {
        assert!(SITE.contains(right), "{right}");
        let text = SITE.replacen(right, wrong, 1);
        let (said, line) = refused(parse_site(&text, "site.toml"));
        assert!(said.contains(message), "{wrong}: {said}");
        assert!(
            said.contains("hint:") && said.contains(hint),
            "{wrong}: {said}"
        );
        let near = line_of(&text, wrong);
        assert!(
            line > 0 && line.abs_diff(near) <= 10,
            "{wrong}: line {line}, not {near}"
        );
    }
}

#[test]
fn an_upgrade_is_shown_field_by_field() {
    let old = parse_template(OFFICE, "1").unwrap();
    let drill = OFFICE.find("[[item]]\nid = \"off-drill\"").unwrap();
    let closed = drill + OFFICE[drill..].find("\n# ").unwrap();
    let text = format!("{}{}", &OFFICE[..drill], &OFFICE[closed..])
        .replacen("version = 1", "version = 2", 1)
        .replacen("when = \"every 60 min\"", "when = \"every 30 min\"", 1)
        .replacen("id = \"off-at-home\"", "id = \"off-at-home-2\"", 1);
    let new = parse_template(&text, "2").unwrap();
    let diff = Diff::between(old.items(), new.items());
    let ids = |items: &[menshen::checklist::Item]| -> Vec<String> {
        items.iter().map(|it| it.id.to_string()).collect()
    };
    assert_eq!(ids(&diff.added), ["off-at-home-2"]);
    assert_eq!(ids(&diff.removed), ["off-drill", "off-at-home"]);
    assert_eq!(diff.changed.len(), 1);
    assert_eq!(diff.changed[0].id.as_str(), "off-lift-buttons");
    let field = &diff.changed[0].fields[0];
    assert_eq!(
        (field.field, &*field.before, &*field.after),
        ("when", "every 60 min", "every 30 min")
    );
    assert!(
        diff.to_string()
            .contains("when: every 60 min → every 30 min")
    );
    assert!(Diff::between(new.items(), new.items()).is_empty());
    // The site's file asks for an hour and a half on the new list: that goes no more.
    let site = parse_site(
        &SITE.replacen("every 30 min", "every 45 min", 1),
        "site.toml",
    )
    .unwrap();
    assert!(site.on(&old).is_ok());
    let error = site.on(&new).unwrap_err().to_string();
    assert!(
        error.contains("off-lift-buttons: when = \"every 45 min\""),
        "{error}"
    );
}

#[test]
fn the_command_prints_what_the_issue_asks_for() {
    let run = Command::cargo_bin("menshen")
        .unwrap()
        .args(["checklist", "templates", "--json"])
        .output()
        .unwrap();
    assert!(run.status.success());
    let lists: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let sites: Vec<&str> = lists
        .as_array()
        .unwrap()
        .iter()
        .map(|list| list["site"].as_str().unwrap())
        .collect();
    assert_eq!(
        sites,
        [
            "residential",
            "office",
            "street_shop",
            "public_unit",
            "talent_apartment",
            "other"
        ]
    );
    for list in lists.as_array().unwrap() {
        assert!(list["title_zh"].is_string() && list["title_en"].is_string());
        assert_eq!(list["version"], 1);
        for item in list["items"].as_array().unwrap() {
            assert!(item["id"].is_string() && item["category"].is_string());
            assert!(item["required"].is_boolean());
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let check = |more: &[&std::path::Path]| {
        let mut command = Command::cargo_bin("menshen").unwrap();
        let run = command
            .args(["checklist", "check"])
            .args(more)
            .output()
            .unwrap();
        let out = String::from_utf8(run.stdout).unwrap();
        (
            run.status.code(),
            out,
            String::from_utf8(run.stderr).unwrap(),
        )
    };
    let site = file("site.toml", SITE);
    let (code, out, _) = check(&[&site]);
    assert_eq!(code, Some(0));
    assert!(
        out.starts_with("usable: 商务楼宇") && out.contains("cannot be signed"),
        "{out}"
    );
    let newer = OFFICE.replacen("version = 1", "version = 2", 1).replacen(
        "when = \"every 60 min\"",
        "when = \"every 15 min\"",
        1,
    );
    let newer = file("newer.toml", &newer);
    let (code, out, _) = check(&[&site, std::path::Path::new("--template"), &newer]);
    assert_eq!(code, Some(1));
    assert!(out.contains("from version 1 to version 2"), "{out}");
    assert!(out.contains("when: every 60 min → every 15 min"), "{out}");
    assert!(out.contains("does not go with it yet"), "{out}");
    let broken = file("broken.toml", &SITE.replacen("off-vanguard", "off-door", 1));
    let (code, _, said) = check(&[&broken]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("broken.toml:4:") && said.contains("cannot be dropped"),
        "{said}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever a file holds, there is an answer, and what is refused has a hint.
    #[test]
    fn no_text_makes_the_readers_panic(
        at in 0_usize..SITE.len(), cut in 0_usize..80, put in "[\\PC\n\"\\[\\]=]{0,12}",
    ) {
        let start = SITE.floor_char_boundary(at);
        let end = SITE.floor_char_boundary((at + cut).min(SITE.len())).max(start);
        let text = format!("{}{put}{}", &SITE[..start], &SITE[end..]);
        for error in [parse_site(&text, "f").err(), parse_template(&text, "f").err()].into_iter().flatten() {
            prop_assert!(error.to_string().contains("hint: "), "{error}");
        }
    }
}
