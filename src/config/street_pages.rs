//! The street office's pages: where they are served, and the office's own list of sites.
//!
//! ```toml
//! [street]
//! id = "dongfang"
//! name = "东方街道"            # what people call it
//! report_by = "20:30"         # by when a day's report is to be here
//! [web]                       # without it there are no pages
//! listen = "127.0.0.1:8081"
//! [[site]]
//! building = "no-12"          # as in that gateway's [site]
//! gate = "main"
//! name = "东方路 12 号"
//! kind = "office"             # else the gateway's own word counts
//! contact = "王经理"           # whom to phone
//! phone = "021-5555 0100"
//! ```
//!
//! Nothing here blocks.

use super::WebConfig;
use crate::calendar::TimeOfDay;
use crate::checklist::SiteKind;
use crate::mqtt::Address;
use crate::street::Listed;
use crate::text::Note;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreetPages {
    /// Where they are served, and how.
    pub web: WebConfig,
    /// The folder of accounts and, where the pages have TLS of their own, of its keys.
    pub folder: PathBuf,
    /// What people call the street.
    pub name: String,
    /// By when a day's report is to be here.
    pub report_by: TimeOfDay,
    /// The office's own list of sites.
    pub sites: Vec<Listed>,
}

/// `[web]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WebSection {
    listen: Option<SocketAddr>,
    #[serde(default)]
    names: Vec<String>,
    certificate_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    accounts: Option<PathBuf>,
}

/// One `[[site]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SiteSection {
    building: String,
    gate: String,
    name: Option<String>,
    kind: Option<String>,
    contact: Option<String>,
    phone: Option<String>,
}

/// What is wrong, and what to do.
type Wrong = (String, &'static str);

/// Where the pages are found without a word in `[web]`: not the gateway's own address.
fn usual_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8081))
}

/// How long after a gateway's own hour (20:00) a report is late.
fn usual_hour() -> TimeOfDay {
    TimeOfDay::new(20, 30).unwrap_or(TimeOfDay::MIDNIGHT)
}

impl StreetPages {
    /// From the sections; `None` where nobody wants pages.
    pub(super) fn of(
        (street, name, report_by): (&str, Option<String>, Option<String>),
        web: Option<WebSection>,
        sites: Vec<SiteSection>,
    ) -> Result<Option<Self>, Wrong> {
        let sites = listed(street, sites)?;
        let Some(web) = web else { return Ok(None) };
        let report_by = match report_by {
            None => usual_hour(),
            Some(text) => text.parse().map_err(|_| {
                let problem = format!("report_by in [street] is {text:?}");
                (
                    problem,
                    "write hours and minutes, such as report_by = \"20:30\"",
                )
            })?,
        };
        let certificate = match (web.certificate_file, web.key_file) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => {
                return Err((
                    "certificate_file and key_file in [web] belong together".to_owned(),
                    "name both files, or neither",
                ));
            }
        };
        let listen = web.listen.unwrap_or_else(usual_address);
        if listen.ip().is_unspecified() && web.names.is_empty() {
            return Err((
                format!("listen in [web] is {listen}, but what this machine is called is not said"),
                "write what people will type, such as names = [\"192.168.1.20\"]: the certificate is for \
                 these, and a request for another name is refused",
            ));
        }
        Ok(Some(Self {
            web: WebConfig {
                listen,
                names: web.names,
                certificate,
                ..WebConfig::default()
            },
            folder: web.accounts.unwrap_or_else(|| "street-pages".into()),
            name: name.unwrap_or_else(|| street.to_owned()),
            report_by,
            sites,
        }))
    }
}

fn listed(street: &str, sites: Vec<SiteSection>) -> Result<Vec<Listed>, Wrong> {
    let mut seen = BTreeSet::new();
    let one = |site: SiteSection| {
        let place = format!("{}/{}", site.building, site.gate);
        let address = Address::new(street, &site.building, &site.gate).map_err(|why| {
            (
                format!("[[site]] {place}: {why}"),
                "write building and gate as they stand in that gateway's [site]",
            )
        })?;
        if !seen.insert(place.clone()) {
            return Err((
                format!("[[site]] {place} stands there twice"),
                "keep one of them",
            ));
        }
        let kind = site.kind.map(|word| {
            SiteKind::parse(&word).ok_or_else(|| {
                (
                    format!("kind of [[site]] {place} is {word:?}"),
                    "write residential, office, street_shop, public_unit, talent_apartment or other",
                )
            })
        });
        let line = |text: String, key: &str| {
            Note::name(&text).map(|it| it.to_string()).ok_or_else(|| {
                (
                    format!(
                        "{key} of [[site]] {place} is empty, too long, or has control characters"
                    ),
                    "write 1 to 80 characters, or leave it away",
                )
            })
        };
        let name = site.name.map(|it| line(it, "name")).transpose()?;
        Ok(Listed {
            name: name.unwrap_or_else(|| format!("{} · {}", site.building, site.gate)),
            kind: kind.transpose()?,
            contact: site.contact.map(|it| line(it, "contact")).transpose()?,
            phone: site.phone.map(|it| line(it, "phone")).transpose()?,
            address,
        })
    };
    sites.into_iter().map(one).collect()
}
