//! Cookies (RFC 6265): reading one of a request, and writing one.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// The value of a cookie. Two of a name are as good as none: one of them is not ours.
pub(super) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter_map(|(key, value)| (key == name).then_some(value));
    match (found.next(), found.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

/// The line that sets a cookie for every page, out of reach of scripts; it ends after so many seconds.
pub(super) fn line(name: &str, value: &str, seconds: u64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn one_of_a_name_is_read_and_two_are_none() {
        let headers = |lines: &[&'static str]| {
            let mut map = HeaderMap::new();
            for line in lines {
                map.append(COOKIE, HeaderValue::from_static(line));
            }
            map
        };
        assert_eq!(read(&headers(&["a=1; b=2"]), "b"), Some("2"));
        assert_eq!(read(&headers(&["a=1", "b=2"]), "a"), Some("1"));
        assert_eq!(read(&headers(&["xb=2; ; b"]), "b"), None);
        assert_eq!(read(&headers(&["b=1; b=2"]), "b"), None);
        assert_eq!(read(&headers(&["b=1", "b=2"]), "b"), None);
    }
}
