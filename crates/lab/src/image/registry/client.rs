//! Requests to a registry: with the token or the password it asks for, bounded in size and time, and
//! tried again where it failed for a moment.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use ureq::http::header::{LOCATION, WWW_AUTHENTICATE};
use ureq::http::{Response, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::Name;
use super::credentials::{Credentials, Sources};
use super::failure::{self, Failure};

const CONNECT_TIME: Duration = Duration::from_secs(20);
/// Between a request and its answer, and between two pieces of the answer.
const SILENCE: Duration = Duration::from_secs(60);
/// For a whole document: manifests and tokens are small.
const DOCUMENT_TIME: Duration = Duration::from_secs(120);

/// A request is tried so often, with a pause that doubles.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// A registry that sends less than this in a minute does not mean to finish.
const LEAST_BYTES: u64 = 16 << 10;
const WINDOW: Duration = Duration::from_secs(60);

/// Tokens.
const MAX_ANSWER: u64 = 1 << 20;

/// Registries send for their blobs to some storage, which may send on.
const MAX_REDIRECTS: usize = 5;

/// Where a blob goes.
pub(super) trait Sink {
    /// Called before each try: what came before counts no more.
    fn begin(&mut self) -> Result<(), Failure>;
    fn take(&mut self, bytes: &[u8]) -> Result<(), Failure>;
}

pub(super) struct Registry {
    name: Name,
    agent: Agent,
    sources: Sources,
    stop: Arc<AtomicBool>,
    authorization: Mutex<Option<String>>,
}

impl Registry {
    pub fn new(name: &Name, sources: Sources, stop: Arc<AtomicBool>) -> Result<Registry, Failure> {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .https_only(!name.is_local())
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("tojimari/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(CONNECT_TIME))
            .timeout_connect(Some(CONNECT_TIME))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE));
        if name.is_local() {
            // What runs on this machine is not behind the proxy of others.
            config = config.proxy(None);
        } else {
            let trusted = rustls_native_certs::load_native_certs();
            if trusted.certs.is_empty() {
                let hint = "no certificate authorities on this machine (Debian has them in ca-certificates)";
                return Err(Failure::Unreachable(hint.to_owned()));
            }
            let trusted: Vec<_> = trusted.certs.iter().map(|cert| Certificate::from_der(cert).to_owned()).collect();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let tls = TlsConfig::builder()
                .root_certs(RootCerts::Specific(Arc::new(trusted)))
                .unversioned_rustls_crypto_provider(provider);
            config = config.tls_config(tls.build());
        }
        let agent = config.build().new_agent();
        Ok(Registry { name: name.clone(), agent, sources, stop, authorization: Mutex::new(None) })
    }

    /// A document, whole, and its media type. `limit` in bytes.
    pub fn document(&self, path: &str, accept: &[&str], limit: u64) -> Result<(Vec<u8>, String), Failure> {
        self.trying(|| {
            let mut response = self.get(path, accept, Some(DOCUMENT_TIME))?;
            let media = response.headers().get("content-type").and_then(|value| value.to_str().ok());
            let media = media.and_then(|value| value.split(';').next()).unwrap_or_default().trim().to_owned();
            let mut bytes = Vec::new();
            response.body_mut().as_reader().take(limit + 1).read_to_end(&mut bytes).map_err(failure::of_reading)?;
            if bytes.len() as u64 > limit {
                return Err(Failure::Refused(format!("{path} is larger than {} MiB", limit >> 20)));
            }
            Ok((bytes, media))
        })
    }

    /// Passes a blob to `sink`, piece by piece.
    pub fn blob(&self, path: &str, sink: &mut dyn Sink) -> Result<(), Failure> {
        self.trying(|| {
            sink.begin()?;
            let mut response = self.get(path, &["*/*"], None)?;
            let mut reader = response.body_mut().as_reader();
            let mut buffer = vec![0; 128 << 10];
            let (mut since, mut received) = (Instant::now(), 0);
            loop {
                self.go_on()?;
                let read = reader.read(&mut buffer).map_err(failure::of_reading)?;
                if read == 0 {
                    return Ok(());
                }
                sink.take(&buffer[..read])?;
                received += read as u64;
                if since.elapsed() > WINDOW {
                    if received < LEAST_BYTES {
                        return Err(Failure::Refused(format!("{} sends next to nothing", self.name.host())));
                    }
                    (since, received) = (Instant::now(), 0);
                }
            }
        })
    }

    /// Ends every request that is under way, as soon as its next piece arrives.
    pub fn give_up(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn go_on(&self) -> Result<(), Failure> {
        match self.stop.load(Ordering::Relaxed) {
            true => Err(Failure::Refused("interrupted".to_owned())),
            false => Ok(()),
        }
    }

    /// Tries again what failed for a moment.
    fn trying<T>(&self, mut work: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match work() {
                Err(Failure::Network(_)) => {}
                outcome => return outcome,
            }
            let until = Instant::now() + pause;
            while Instant::now() < until {
                self.go_on()?;
                std::thread::sleep(Duration::from_millis(50));
            }
            pause *= 2;
        }
        work()
    }

    /// One request, with what the registry asks for when it asks for it.
    fn get(&self, path: &str, accept: &[&str], time: Option<Duration>) -> Result<Response<Body>, Failure> {
        let own = format!("{}/{}/{path}", self.name.base(), self.name.repository());
        let mut asked = false;
        loop {
            let authorization = self.authorization.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
            let (response, elsewhere) = self.follow(&own, authorization, accept, time)?;
            match response.status().as_u16() {
                200 => return Ok(response),
                // Once without a token, or with one that is no longer good.
                401 if !asked && !elsewhere => {
                    asked = true;
                    let granted = self.authorize(&response)?;
                    *self.authorization.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(granted);
                }
                status => {
                    let known = asked && self.sources.find(&self.name, &self.stop).is_ok_and(|found| found.is_some());
                    return Err(failure::of_status(self.name.host(), status, response, path, known));
                }
            }
        }
    }

    /// Sends a request, and again where it is redirected to; whether the answer is another server's.
    /// The authorization goes to no other server, port or scheme than the one it was given for.
    fn follow(
        &self,
        own: &str,
        authorization: Option<String>,
        accept: &[&str],
        time: Option<Duration>,
    ) -> Result<(Response<Body>, bool), Failure> {
        let mut url = own.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            self.go_on()?;
            let elsewhere = server_of(&url) != server_of(own);
            let mut request = self.agent.get(&url).header("accept", accept.join(", "));
            if let Some(authorization) = authorization.as_ref().filter(|_| !elsewhere) {
                request = request.header("authorization", authorization);
            }
            let response = request.config().timeout_global(time).build().call();
            let response = response.map_err(|error| failure::of_request(self.name.host(), &error))?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok((response, elsewhere));
            }
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
            url = match location.strip_prefix('/') {
                Some(rest) if !rest.starts_with('/') => format!("{}{location}", server_of(&url).unwrap_or_default()),
                _ => location.to_owned(),
            };
            if server_of(&url).is_none() {
                return Err(Failure::Refused(format!("{} redirects to no address", self.name.host())));
            }
        }
        Err(Failure::Refused(format!("{} redirects too often", self.name.host())))
    }

    /// What to send for a challenge. Source: distribution's token and basic authentication.
    fn authorize(&self, response: &Response<Body>) -> Result<String, Failure> {
        let found = self.sources.find(&self.name, &self.stop).map_err(Failure::Refused)?;
        let credentials = found.map(|(credentials, _)| credentials);
        if let Some(Credentials::Bearer(token)) = &credentials {
            return Ok(format!("Bearer {token}"));
        }
        let mut basic = false;
        for header in response.headers().get_all(WWW_AUTHENTICATE) {
            let Ok(header) = header.to_str() else { continue };
            let Ok(challenges) = http_auth::parse_challenges(header) else { continue };
            for challenge in challenges {
                let value = |name: &str| {
                    let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                    found.map(|(_, value)| value.to_unescaped())
                };
                if challenge.scheme.eq_ignore_ascii_case("bearer")
                    && let Some(realm) = value("realm")
                {
                    return self.token(&realm, value("service"), credentials.as_ref());
                }
                basic = basic || challenge.scheme.eq_ignore_ascii_case("basic");
            }
        }
        match credentials {
            Some(Credentials::Password { user, password }) if basic => Ok(password_header(&user, &password)),
            _ => Err(failure::refused(self.name.host(), credentials.is_some(), "")),
        }
    }

    fn token(
        &self,
        realm: &str,
        service: Option<String>,
        credentials: Option<&Credentials>,
    ) -> Result<String, Failure> {
        if !(realm.starts_with("https://") || self.name.is_local() && realm.starts_with("http://")) {
            return Err(Failure::Refused(format!("{} sends for a token without TLS", self.name.host())));
        }
        let scope = format!("repository:{}:pull", self.name.repository());
        let service = service.unwrap_or_default();
        let outcome = match credentials {
            Some(Credentials::Identity(refresh)) => {
                self.agent.post(realm).config().timeout_global(Some(DOCUMENT_TIME)).build().send_form([
                    ("grant_type", "refresh_token"),
                    ("client_id", "tojimari"),
                    ("service", &service),
                    ("scope", &scope),
                    ("refresh_token", refresh),
                ])
            }
            other => {
                let mut request = self.agent.get(realm).query("scope", &scope);
                if !service.is_empty() {
                    request = request.query("service", &service);
                }
                if let Some(Credentials::Password { user, password }) = other {
                    request = request.header("authorization", password_header(user, password));
                }
                request.config().timeout_global(Some(DOCUMENT_TIME)).build().call()
            }
        };
        let mut response = outcome.map_err(|error| failure::of_request(self.name.host(), &error))?;
        match response.status().as_u16() {
            200 => {}
            400 | 401 | 403 | 404 => {
                return Err(failure::refused(self.name.host(), credentials.is_some(), &failure::said(&mut response)));
            }
            status => {
                return Err(failure::of_status(self.name.host(), status, response, "token", credentials.is_some()));
            }
        }
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            token: String,
            #[serde(default)]
            access_token: String,
        }
        let mut bytes = Vec::new();
        response.body_mut().as_reader().take(MAX_ANSWER).read_to_end(&mut bytes).map_err(failure::of_reading)?;
        let answer: Option<Answer> = serde_json::from_slice(&bytes).ok();
        match answer.map(|answer| if answer.token.is_empty() { answer.access_token } else { answer.token }) {
            Some(token) if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Ok(format!("Bearer {token}"))
            }
            _ => Err(Failure::Refused(format!("{} gives no token that can be read", self.name.host()))),
        }
    }
}

/// `SCHEME://HOST[:PORT]` of an address with all three, or with the port that goes without saying.
fn server_of(url: &str) -> Option<String> {
    let url: Uri = url.parse().ok()?;
    let scheme = url.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    Some(format!("{scheme}://{}", url.authority()?.as_str().to_ascii_lowercase()))
}

fn password_header(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
