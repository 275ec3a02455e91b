//! What each server wants to be sent, and what its answers mean.
//!
//! WeCom and DingTalk answer 200 to everything and say in the body whether they took it (`errcode`);
//! numbers are from their documentation of group robots. The address of a robot *is* its key: whoever has it
//! can write to the group. So it is a [`Secret`], comes from a file of its own, stands in no log and no error,
//! and goes to the vendor's host only.

use super::notice::Letter;
use crate::clock::{ClockTrust, Stamp};
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;
use ureq::http::Uri;

/// Longest text, bytes: WeCom's limit; more than that no chat shows at a glance.
const LONGEST_TEXT: usize = 2048;

/// Pause after "too fast" where the server does not say how long.
const TOO_FAST: Duration = Duration::from_mins(1);

/// Longest pause that a server can ask for, and DingTalk's own after "too fast".
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// Kinds of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A group robot of WeCom (企业微信).
    Wecom,
    /// A group robot of DingTalk (钉钉).
    Dingtalk,
    /// Whatever takes JSON.
    Webhook,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Wecom, Self::Dingtalk, Self::Webhook];

    /// Its word in the configuration, the outbox and the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wecom => "wecom",
            Self::Dingtalk => "dingtalk",
            Self::Webhook => "webhook",
        }
    }

    /// The only host that its messages go to; `None`: any.
    const fn host(self) -> Option<&'static str> {
        match self {
            Self::Wecom => Some("qyapi.weixin.qq.com"),
            Self::Dingtalk => Some("oapi.dingtalk.com"),
            Self::Webhook => None,
        }
    }
}

/// Where to send, and with which key.
#[derive(Clone, Debug)]
pub struct Endpoint {
    kind: Kind,
    url: Secret<String>,
    key: Option<Secret<String>>,
}

/// What a request is made of.
#[derive(Debug)]
pub struct Request {
    /// Where to, with everything that is secret in it.
    pub url: Secret<String>,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON.
    pub body: Vec<u8>,
}

/// What a server answered, or that none did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has it.
    Taken,
    /// Not now: so much later.
    Later(Duration),
    /// It may go well the next time.
    Trouble(String),
    /// It will not go well like this.
    Refused(String),
}

/// The part of a robot's answer that says whether it took a message.
#[derive(Debug, Deserialize)]
struct Verdict {
    errcode: i64,
    #[serde(default)]
    errmsg: String,
}

#[derive(Debug, Serialize)]
struct Text<'a> {
    content: &'a str,
}

/// What both robots take.
#[derive(Debug, Serialize)]
struct RobotMessage<'a> {
    msgtype: &'static str,
    text: Text<'a>,
}

impl Endpoint {
    /// With an address as it stands in its file, and a key where the server wants messages signed.
    ///
    /// # Errors
    /// What is wrong with the address, without the address.
    pub fn new(
        kind: Kind,
        url: Secret<String>,
        key: Option<Secret<String>>,
    ) -> Result<Self, String> {
        let uri: Uri = url
            .reveal()
            .parse()
            .map_err(|_| "is no address: https://… is expected".to_owned())?;
        let (scheme, host) = (uri.scheme_str(), uri.host().unwrap_or_default());
        if uri.authority().is_some_and(|it| it.as_str().contains('@')) {
            return Err("has a name or password before its host: leave that away".to_owned());
        }
        match kind.host() {
            Some(only) if scheme != Some("https") || host != only || uri.port().is_some() => {
                Err(format!("must begin with https://{only}/"))
            }
            None if scheme != Some("https") && !(scheme == Some("http") && is_near(host)) => Err(
                "must begin with https://, or http:// and an address of this machine or \
                     its local network"
                    .to_owned(),
            ),
            _ => Ok(Self { kind, url, key }),
        }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The request for a letter.
    #[must_use]
    pub fn request(&self, letter: &Letter, now: &Stamp) -> Request {
        let mut headers = vec![("Content-Type", "application/json; charset=utf-8".to_owned())];
        let ms = now.wall.0;
        let mut url = self.url.clone();
        let body = match self.kind {
            Kind::Webhook => letter.json.clone(),
            Kind::Wecom | Kind::Dingtalk => robot_message(&letter.text),
        };
        match (&self.key, self.kind) {
            (Some(key), Kind::Dingtalk) => {
                let signed = sign(key, &[format!("{ms}\n{}", key.reveal()).as_bytes()]);
                let sign = percent(&STANDARD.encode(signed));
                let between = if url.reveal().contains('?') { '&' } else { '?' };
                url = Secret::new(format!(
                    "{}{between}timestamp={ms}&sign={sign}",
                    url.reveal()
                ));
            }
            (Some(key), Kind::Webhook) => {
                let signed = sign(key, &[format!("{ms}.").as_bytes(), &body]);
                headers.push(("Menshen-Timestamp", ms.to_string()));
                headers.push(("Menshen-Signature", format!("sha256={}", hex(&signed))));
            }
            (Some(_), Kind::Wecom) | (None, _) => {}
        }
        Request { url, headers, body }
    }

    /// What an answer means. Texts of the server are cut short; they come from outside.
    #[must_use]
    pub fn meaning(
        &self,
        status: u16,
        retry_after: Option<&str>,
        body: &[u8],
        now: &Stamp,
    ) -> Answer {
        match status {
            200..=299 if self.kind == Kind::Webhook => Answer::Taken,
            200..=299 => self.verdict(body, now),
            300..=399 => Answer::Refused(format!(
                "HTTP {status}: it leads elsewhere, and redirects are not followed; write the last \
                 address into url_file"
            )),
            429 => {
                let asked = retry_after.and_then(|text| text.trim().parse().ok());
                let pause = asked.map_or(TOO_FAST, Duration::from_secs);
                Answer::Later(pause.min(LONGEST_PAUSE))
            }
            408 | 425 | 500..=599 => Answer::Trouble(format!("HTTP {status}")),
            _ => Answer::Refused(format!("HTTP {status}: look at the address in url_file")),
        }
    }

    /// What a robot says in its answer.
    fn verdict(&self, body: &[u8], now: &Stamp) -> Answer {
        let Ok(Verdict { errcode, errmsg }) = serde_json::from_slice(body) else {
            return Answer::Trouble("it answered something else than its own JSON".to_owned());
        };
        let said: String = errmsg
            .chars()
            .filter(|c| !c.is_control())
            .take(80)
            .collect();
        let why = format!("errcode {errcode}: {said}");
        match (errcode, self.kind) {
            (0, _) => Answer::Taken,
            // "System busy", in both.
            (-1, _) => Answer::Trouble(why),
            (45_009, Kind::Wecom) => Answer::Later(TOO_FAST),
            // "Send too fast": shut out for ten minutes.
            (130_101, Kind::Dingtalk) => Answer::Later(LONGEST_PAUSE),
            // A signature an hour off is refused; with a clock that was never set it will be right later.
            (310_000, Kind::Dingtalk)
                if self.key.is_some() && now.trust == ClockTrust::Unsynchronised =>
            {
                Answer::Trouble(format!("{why}; this machine's clock is not set"))
            }
            _ => Answer::Refused(why),
        }
    }

    /// Any address, for a server of the tests.
    #[cfg(test)]
    pub(super) fn anywhere(kind: Kind, url: String, key: Option<&str>) -> Self {
        Self {
            kind,
            url: Secret::new(url),
            key: key.map(|key| Secret::new(key.to_owned())),
        }
    }
}

/// Whether a host is an address of this machine or of a local network, from which nobody reads along
/// that could not do worse.
fn is_near(host: &str) -> bool {
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    host == "localhost"
        || match address {
            Some(IpAddr::V4(it)) => it.is_loopback() || it.is_private(),
            Some(IpAddr::V6(it)) => it.is_loopback() || it.is_unique_local(),
            None => false,
        }
}

fn robot_message(text: &str) -> Vec<u8> {
    let message = RobotMessage {
        msgtype: "text",
        text: Text {
            content: shortened(text),
        },
    };
    // Two strings under fixed keys have no error.
    serde_json::to_vec(&message).unwrap_or_default()
}

/// As much of a text as a robot takes.
fn shortened(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LONGEST_TEXT))
        .unwrap_or(text)
}

/// HMAC-SHA256 of the parts, one behind the other.
fn sign(key: &Secret<String>, parts: &[&[u8]]) -> Vec<u8> {
    // A key of any length is taken (RFC 2104).
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.reveal().as_bytes()) else {
        return Vec::new();
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text has no error.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Percent-encoding of what stands in base64 and means something in an address (RFC 3986).
fn percent(base64: &str) -> String {
    base64
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::tests::stamp;

    fn endpoint(kind: Kind, url: &str) -> Result<Endpoint, String> {
        Endpoint::new(kind, Secret::new(url.to_owned()), None)
    }

    #[test]
    fn a_robots_key_goes_to_its_vendor_only() {
        let wecom = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0000";
        assert!(endpoint(Kind::Wecom, wecom).is_ok());
        assert!(
            endpoint(
                Kind::Dingtalk,
                "https://oapi.dingtalk.com/robot/send?access_token=0"
            )
            .is_ok()
        );
        for wrong in [
            "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=hush",
            "https://qyapi.weixin.qq.com.example.com/send?key=hush",
            "https://qyapi.weixin.qq.com:8443/send?key=hush",
            "https://qyapi.weixin.qq.com@example.com/send?key=hush",
            "https://user:hush@qyapi.weixin.qq.com/send",
            "https://oapi.dingtalk.com/robot/send?key=hush",
            "/send?key=hush",
            "hush",
            "",
        ] {
            let why = endpoint(Kind::Wecom, wrong).unwrap_err();
            assert!(!why.contains("hush"), "{why}");
        }
    }

    #[test]
    fn a_webhook_goes_without_tls_to_the_neighbourhood_only() {
        for right in [
            "https://example.com/hook",
            "http://127.0.0.1:8123/api/webhook/x",
            "http://localhost/x",
            "http://192.168.1.20:8123/x",
            "http://[::1]:8123/x",
        ] {
            assert!(endpoint(Kind::Webhook, right).is_ok(), "{right}");
        }
        for wrong in [
            "http://example.com/x",
            "http://8.8.8.8/x",
            "ftp://127.0.0.1/x",
            "x",
        ] {
            assert!(endpoint(Kind::Webhook, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        let key = Secret::new("Jefe".to_owned());
        assert_eq!(
            hex(&sign(&key, &[b"what do ya want ", b"for nothing?"])),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    fn letter() -> Letter {
        Letter {
            text: "东门".repeat(1000),
            json: b"{}".to_vec(),
        }
    }

    #[test]
    fn dingtalk_is_signed_in_the_address() {
        let url = "https://oapi.dingtalk.com/robot/send?access_token=0".to_owned();
        let signed = Endpoint::anywhere(Kind::Dingtalk, url, Some("SECtest"));
        let request = signed.request(&letter(), &stamp(0));
        // By openssl: printf '1582000000000\nSECtest' | openssl dgst -sha256 -hmac SECtest -binary | base64
        let end = "&timestamp=1582000000000&sign=Gcs%2FRWxnKcAje59wCwE3sI07MzpUdYt0HbUHiJugfBA%3D";
        assert!(
            request.url.reveal().ends_with(end),
            "{}",
            request.url.reveal()
        );
    }

    #[test]
    fn a_webhook_is_signed_over_time_and_body() {
        let url = "https://example.com/".to_owned();
        let signed = Endpoint::anywhere(Kind::Webhook, url, Some("hush"));
        let request = signed.request(&letter(), &stamp(0));
        // By openssl: printf '1582000000000.{}' | openssl dgst -sha256 -hmac hush
        let expected = "sha256=f4738985f1c135095c1cf832b46aa80cf8a9b78d364a8533a8f2d9e410071e1a";
        assert!(
            request
                .headers
                .contains(&("Menshen-Signature", expected.to_owned())),
            "{request:?}"
        );
        assert!(!format!("{request:?} {signed:?}").contains("example.com"));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        let message = robot_message(&letter().text);
        let json: serde_json::Value = serde_json::from_slice(&message).unwrap();
        let content = json["text"]["content"].as_str().unwrap();
        assert!((2040..=2048).contains(&content.len()) && content.ends_with('门'));
    }

    #[test]
    fn answers_mean_what_their_vendors_say() {
        let of = |kind| Endpoint::anywhere(kind, String::new(), Some("k"));
        let now = stamp(0);
        let unset = Stamp {
            trust: ClockTrust::Unsynchronised,
            ..now
        };
        let said = |kind, errcode: i64, now: &Stamp| {
            let body = format!(r#"{{"errcode":{errcode},"errmsg":"x"}}"#);
            of(kind).meaning(200, None, body.as_bytes(), now)
        };
        assert_eq!(said(Kind::Wecom, 0, &now), Answer::Taken);
        assert_eq!(said(Kind::Wecom, 45_009, &now), Answer::Later(TOO_FAST));
        assert_eq!(
            said(Kind::Dingtalk, 130_101, &now),
            Answer::Later(LONGEST_PAUSE)
        );
        assert!(matches!(said(Kind::Wecom, -1, &now), Answer::Trouble(_)));
        assert!(matches!(
            said(Kind::Wecom, 93_000, &now),
            Answer::Refused(_)
        ));
        assert!(matches!(
            said(Kind::Dingtalk, 310_000, &now),
            Answer::Refused(_)
        ));
        assert!(matches!(
            said(Kind::Dingtalk, 310_000, &unset),
            Answer::Trouble(_)
        ));
        let http = |status, after| of(Kind::Webhook).meaning(status, after, b"", &now);
        assert_eq!(http(204, None), Answer::Taken);
        assert_eq!(http(429, Some("7")), Answer::Later(Duration::from_secs(7)));
        assert_eq!(http(429, Some("99999999")), Answer::Later(LONGEST_PAUSE));
        assert_eq!(http(429, Some("soon")), Answer::Later(TOO_FAST));
        assert!(matches!(http(500, None), Answer::Trouble(_)));
        assert!(matches!(http(302, None), Answer::Refused(_)));
        assert!(matches!(http(404, None), Answer::Refused(_)));
        // A proxy's own page is no yes.
        assert!(matches!(
            of(Kind::Wecom).meaning(200, None, b"<html>", &now),
            Answer::Trouble(_)
        ));
    }
}
