//! Host and Origin: whom a browser thinks it talks to, and from where it was sent.
//!
//! A foreign page can make a browser send requests here, and can make a name of its own mean this address (DNS
//! rebinding). Both show: in `Origin`, and in `Host`.

use std::net::SocketAddr;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HOST, ORIGIN};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError, web};

use crate::refusal::Refusal;
use crate::shared::Shared;

/// The names under which the dashboard may be asked, with its port.
#[derive(Debug)]
pub(crate) struct Names(Vec<String>);

impl Names {
    /// Those of this machine alone, the address itself, and others that were asked for.
    pub(crate) fn new(address: SocketAddr, others: &[String]) -> Self {
        let port = address.port();
        let bound = match address {
            SocketAddr::V4(v4) => v4.ip().to_string(),
            SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
        };
        let own = ["127.0.0.1", "localhost", "[::1]", &bound];
        let hosts = own.into_iter().chain(others.iter().map(String::as_str));
        let mut names: Vec<String> =
            hosts.map(|host| format!("{}:{port}", host.to_ascii_lowercase())).collect();
        if port == 80 {
            // A client leaves the port out where it is the usual one.
            let bare = names.iter().map(|name| name.trim_end_matches(":80").to_owned());
            let bare: Vec<String> = bare.collect();
            names.extend(bare);
        }
        names.dedup();
        Self(names)
    }

    fn has(&self, host: &str) -> bool {
        self.0.iter().any(|name| name.eq_ignore_ascii_case(host))
    }
}

/// Lets through what was meant for this dashboard and does not come from a foreign page.
pub(crate) async fn check<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(shared) = request.app_data::<web::Data<Shared>>()
        && let Err(refusal) = judge(&request, &shared.names)
    {
        return Ok(request.into_response(refusal.error_response()));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

fn judge(request: &ServiceRequest, names: &Names) -> Result<(), Refusal> {
    let mut hosts = request.headers().get_all(HOST);
    let host = hosts.next().and_then(|host| host.to_str().ok()).unwrap_or_default();
    // An address in the request line, if there is one, is what a proxy would go by.
    let asked = request.uri().authority().map_or(host, |authority| authority.as_str());
    if hosts.next().is_some() || !names.has(host) || !names.has(asked) {
        return Err(Refusal::foreign_host(
            if names.has(host) { asked } else { host },
            &names.0.join(", "),
        ));
    }
    for origin in request.headers().get_all(ORIGIN) {
        let origin = origin.to_str().unwrap_or_default();
        if !origin.strip_prefix("http://").is_some_and(|host| names.has(host)) {
            return Err(Refusal::foreign_origin(origin));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_this_machine_with_the_port() {
        let names = Names::new(([127, 0, 0, 1], 7070).into(), &["palco.test".to_owned()]);
        for host in ["127.0.0.1:7070", "LOCALHOST:7070", "[::1]:7070", "palco.test:7070"] {
            assert!(names.has(host), "{host}");
        }
        for host in
            ["", "127.0.0.1", "localhost:7071", "evil.test:7070", "127.0.0.1:7070.evil.test"]
        {
            assert!(!names.has(host), "{host}");
        }
    }

    #[test]
    fn the_usual_port_may_be_left_out() {
        let names = Names::new(([127, 0, 0, 1], 80).into(), &[]);
        assert!(names.has("localhost") && names.has("localhost:80"));
    }
}
