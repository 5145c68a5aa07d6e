//! What every request passes before it reaches its route: whom a browser thinks it talks to, and from where it was sent.
//!
//! A foreign page can make a browser send requests here, and can make a name of its own mean this address (DNS
//! rebinding). Both show: in `Origin`, and in `Host`.

use std::net::{IpAddr, Ipv6Addr};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    AUTHORIZATION, CONTENT_SECURITY_POLICY, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError, web};

use super::Settings;
use super::kind::Kind;
use super::problem::Problem;
use super::shared::Shared;

/// What a browser is told about everything: values are anybody's bytes, and never a page.
const HEADERS: [(HeaderName, &str); 3] = [
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Lets through what was meant for this gateway and does not come from a foreign page.
pub(crate) async fn check<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let shared = request.app_data::<web::Data<Shared>>().cloned();
    let shared = shared.expect("every application has it");
    let mut response = match judge(&request, &shared) {
        Err(problem) => request.into_response(problem.error_response()),
        Ok(()) => next.call(request).await?.map_into_boxed_body(),
    };
    if shared.is_ending() {
        // The client looks for another node before its next request, not after.
        response
            .response_mut()
            .head_mut()
            .set_connection_type(actix_web::http::ConnectionType::Close);
    }
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// Lets through who shows the token.
pub(super) fn authorize(headers: &HeaderMap, settings: &Settings) -> Result<(), Problem> {
    let Some(token) = &settings.token else {
        let detail = "this gateway was started without a token, so nobody may do this through it";
        return Err(Problem::new(Kind::NotOffered, detail));
    };
    let mut shown = headers.get_all(AUTHORIZATION);
    let (first, second) = (shown.next(), shown.next());
    let Some(first) = first else {
        return Err(Problem::new(Kind::NoToken, "no token was shown"));
    };
    // The scheme's name is the same in any case (RFC 9110, section 11.1).
    let words = first.to_str().ok().and_then(|text| text.split_once(' '));
    let bearer = words.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match bearer {
        Some((_, bearer)) if second.is_none() && token.is(bearer.trim()) => Ok(()),
        _ => Err(Problem::new(Kind::NoToken, "this is not the token")),
    }
}

fn judge(request: &ServiceRequest, shared: &Shared) -> Result<(), Problem> {
    if shared.settings.is_private {
        // A foreign page does not know the token, whatever it has made a name mean.
        return authorize(request.headers(), &shared.settings);
    }
    let names = &shared.settings.also_called;
    let mut hosts = request.headers().get_all(HOST);
    let host = hosts.next().and_then(|host| host.to_str().ok()).unwrap_or_default();
    // An address in the request line, if there is one, is what a proxy would go by.
    let asked = request.uri().authority().map_or(host, |authority| authority.as_str());
    if hosts.next().is_some() || !is_ours(host, names) || !is_ours(asked, names) {
        let host = if is_ours(host, names) { asked } else { host };
        return Err(Problem::new(
            Kind::ForeignHost,
            format!("`{host}` is no name of this gateway"),
        ));
    }
    for origin in request.headers().get_all(ORIGIN) {
        let origin = origin.to_str().unwrap_or_default();
        if !origin.strip_prefix("http://").is_some_and(|origin| origin.eq_ignore_ascii_case(host)) {
            return Err(Problem::new(
                Kind::ForeignOrigin,
                format!("origin `{origin}` is not this gateway"),
            ));
        }
    }
    Ok(())
}

/// Whether this host, with a port or without, is an address, this machine, or one of these names. Rebinding needs a name:
/// an address means itself.
fn is_ours(host: &str, names: &[String]) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        _ => host,
    };
    let six = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match six {
        Some(six) => six.parse::<Ipv6Addr>().is_ok(),
        None => {
            name.parse::<IpAddr>().is_ok_and(|address| address.is_ipv4())
                || name.eq_ignore_ascii_case("localhost")
                || names.iter().any(|known| known.eq_ignore_ascii_case(name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_a_known_name_is_ours_and_no_other() {
        let names = ["store.test".to_owned()];
        for host in [
            "127.0.0.1:7480",
            "10.0.0.7",
            "LocalHost",
            "localhost:80",
            "[::1]:7480",
            "Store.test:1",
        ] {
            assert!(is_ours(host, &names), "{host}");
        }
        for host in [
            "",
            "evil.test",
            "evil.test:7480",
            "127.0.0.1.evil.test",
            "127.0.0.1:7480.evil.test",
            "localhost:",
            "::1",
            "[::1].evil.test",
            "store.test.evil.test",
        ] {
            assert!(!is_ours(host, &names), "{host}");
        }
    }
}
