//! Until when the certificates hold that the site has brought: for the pages, and for the broker. What the gateway
//! signs for itself it signs anew in time, and is not looked at.

use super::words::{Check, Finding};
use crate::clock::{BootId, Clock as _, SystemClock};
use crate::config::Config;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::path::{Path, PathBuf};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

/// Days before its end from which a certificate is to be renewed.
const SOON: i64 = 30;

const DAY_S: i64 = 86_400;

/// From when until when the certificates of a file hold, seconds since 1970.
struct Held {
    file: PathBuf,
    from: i64,
    until: i64,
}

/// All certificates that the site has brought.
pub(super) fn certificates(config: &Config) -> Finding {
    let mqtt = config.mqtt.tls_files();
    let (ca, own) = match &mqtt {
        Some((ca, own)) => (Some(ca), own.as_ref()),
        None => (None, None),
    };
    // A chain holds as long as all of it; of the authorities that are trusted one is enough.
    let chains = [config.web.certificate_file(), own.map(|(it, _)| it.clone())];
    let chains = chains.into_iter().flatten().map(|file| read(&file, true));
    let found: Result<Vec<Held>, Finding> =
        chains.chain(ca.map(|file| read(file, false))).collect();
    match found {
        Err(wrong) => wrong,
        Ok(held) if held.is_empty() => Finding::skipped(
            Check::Certificates,
            "没有自备证书；本机签发的会自动更新",
            "None were brought; those that the gateway signs are renewed by themselves",
        ),
        Ok(held) => judged(&held, SystemClock::start(BootId(0)).now().wall.0 / 1000),
    }
}

fn read(file: &Path, whole_chain: bool) -> Result<Held, Finding> {
    let shown = file.display();
    let wrong = |why: &str| {
        Finding::wrong(
            Check::Certificates,
            &format!("{shown} 读不出：{why}"),
            &format!("{shown} cannot be read: {why}"),
        )
        .todo(
            "换成 PEM 格式的证书，并允许 menshen 用户读取",
            "Put certificates in PEM there, which the user menshen may read",
        )
    };
    let all: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(&error.to_string()))?;
    let times: Vec<(i64, i64)> = all
        .iter()
        .filter_map(|der| {
            let (_, certificate) = X509Certificate::from_der(der).ok()?;
            let holds = certificate.validity();
            Some((holds.not_before.timestamp(), holds.not_after.timestamp()))
        })
        .collect();
    let from = times.iter().map(|it| it.0);
    let until = times.iter().map(|it| it.1);
    let ends = if whole_chain {
        from.max().zip(until.min())
    } else {
        from.min().zip(until.max())
    };
    let (from, until) = ends.ok_or_else(|| wrong("there is no certificate in it"))?;
    let file = file.to_path_buf();
    Ok(Held { file, from, until })
}

fn judged(held: &[Held], now: i64) -> Finding {
    let day = |seconds: i64| {
        let at = jiff::Timestamp::from_second(seconds).unwrap_or_default();
        at.strftime("%Y-%m-%d").to_string()
    };
    let Some(first) = held.iter().min_by_key(|it| it.until) else {
        return Finding::skipped(Check::Certificates, "没有证书", "There are none");
    };
    let shown = first.file.display();
    let (until, left) = (day(first.until), (first.until - now).div_euclid(DAY_S));
    if let Some(early) = held.iter().find(|it| it.from > now) {
        let (shown, from) = (early.file.display(), day(early.from));
        return Finding::wrong(
            Check::Certificates,
            &format!("{shown} 自 {from} 起才有效，本机时钟为 {}", day(now)),
            &format!(
                "{shown} holds from {from} only, and the clock here says {}",
                day(now)
            ),
        )
        .todo("先设好时钟", "Set the clock first");
    }
    let renew = |finding: Finding| {
        finding.todo(
            "向签发者申请新证书，放到原处；无需重启",
            "Get a new one from whoever signed it, and put it in its place; nothing has to be restarted",
        )
    };
    if left < 0 {
        return renew(Finding::wrong(
            Check::Certificates,
            &format!("{shown} 已于 {until} 过期"),
            &format!("{shown} expired on {until}"),
        ));
    }
    let (zh, en) = (
        format!("{shown} 有效至 {until}，还有 {left} 天"),
        format!("{shown} holds until {until}, {left} days more"),
    );
    if left < SOON {
        return renew(Finding::look(Check::Certificates, &zh, &en));
    }
    Finding::well(Check::Certificates, &zh, &en)
}

#[cfg(test)]
mod tests {
    use super::super::words::State;
    use super::*;

    #[test]
    fn the_one_that_ends_first_is_told_and_what_is_not_yet_or_no_more_is_wrong() {
        let held = |from: i64, until: i64| Held {
            file: format!("{until}.pem").into(),
            from: from * DAY_S,
            until: until * DAY_S,
        };
        for (ends, state, words) in [
            (vec![held(0, 400), held(0, 131)], State::Well, "131.pem"),
            (
                vec![held(0, 400), held(0, 129)],
                State::Look,
                "29 days more",
            ),
            (vec![held(0, 99)], State::Wrong, "expired on 1970-04-10"),
            (vec![held(101, 900)], State::Wrong, "holds from 1970-04-12"),
        ] {
            let found = judged(&ends, 100 * DAY_S);
            assert_eq!(found.state, state, "{}", found.what.en);
            assert!(found.what.en.contains(words), "{}", found.what.en);
        }
    }
}
