//! What a secret in plain text looks like: by the form of a value, and by the name that it is
//! given. Says what kind of secret it is, never the secret.

mod name;

use name::is_a_value;
pub use name::{by_name, by_option, name_says};

/// What kind of secret it is, as it follows "holds": "a GitHub token".
pub type Kind = &'static str;

/// The kind of secret that a value is by its own form, wherever it stands.
pub fn by_value(value: &str) -> Option<Kind> {
    by_prefix(value)
        .or_else(|| value.contains("-----BEGIN").then(|| private_key(value)).flatten())
        .or_else(|| url_with_password(value))
        .or_else(|| parameter_of_text(value))
}

/// Prefix, the letters that may follow, how many at least, and what it is.
const PREFIXES: &[(&str, Letters, usize, Kind)] = &[
    ("AKIA", Letters::Upper, 16, "an AWS access key"),
    ("ASIA", Letters::Upper, 16, "an AWS access key"),
    ("ghp_", Letters::Word, 36, "a GitHub token"),
    ("gho_", Letters::Word, 36, "a GitHub token"),
    ("ghu_", Letters::Word, 36, "a GitHub token"),
    ("ghs_", Letters::Word, 36, "a GitHub token"),
    ("ghr_", Letters::Word, 36, "a GitHub token"),
    ("github_pat_", Letters::Word, 22, "a GitHub token"),
    ("glpat-", Letters::Word, 20, "a GitLab token"),
    ("xoxb-", Letters::Word, 20, "a Slack token"),
    ("xoxa-", Letters::Word, 20, "a Slack token"),
    ("xoxp-", Letters::Word, 20, "a Slack token"),
    ("xoxr-", Letters::Word, 20, "a Slack token"),
    ("xoxs-", Letters::Word, 20, "a Slack token"),
    ("xapp-", Letters::Word, 20, "a Slack token"),
    ("hooks.slack.com/services/T", Letters::Path, 20, "a Slack webhook"),
    ("sk_live_", Letters::Word, 16, "a Stripe key"),
    ("sk_test_", Letters::Word, 16, "a Stripe key"),
    ("rk_live_", Letters::Word, 16, "a Stripe key"),
    ("rk_test_", Letters::Word, 16, "a Stripe key"),
    ("whsec_", Letters::Word, 24, "a Stripe key"),
    ("AIza", Letters::Word, 35, "a Google API key"),
    ("GOCSPX-", Letters::Word, 20, "a Google client secret"),
    ("ya29.", Letters::Word, 20, "a Google token"),
    ("npm_", Letters::Word, 36, "an npm token"),
    ("pypi-AgEI", Letters::Word, 40, "a PyPI token"),
    ("SG.", Letters::Token, 60, "a SendGrid key"),
    ("sk-ant-", Letters::Word, 20, "an API key"),
    ("sk-proj-", Letters::Word, 20, "an API key"),
    ("hvs.", Letters::Word, 20, "a Vault token"),
    ("dckr_pat_", Letters::Word, 20, "a Docker token"),
    ("dop_v1_", Letters::Word, 32, "a DigitalOcean token"),
    ("hf_", Letters::Word, 30, "a Hugging Face token"),
];

#[derive(Clone, Copy)]
enum Letters {
    Upper,
    Word,
    /// As `Word`, and dots.
    Token,
    Path,
}

impl Letters {
    fn take(self, c: char) -> bool {
        match self {
            Letters::Upper => c.is_ascii_uppercase() || c.is_ascii_digit(),
            Letters::Word => c.is_ascii_alphanumeric() || matches!(c, '_' | '-'),
            Letters::Token => c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'),
            Letters::Path => c.is_ascii_alphanumeric() || c == '/',
        }
    }
}

fn by_prefix(value: &str) -> Option<Kind> {
    let known = PREFIXES.iter().find(|(prefix, letters, least, _)| {
        value.match_indices(prefix).any(|(at, _)| {
            // A longer word that happens to hold the prefix is not the token.
            let starts = !value[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            let rest = start(&value[at + prefix.len()..]);
            let length = rest.find(|c| !letters.take(c)).unwrap_or(rest.len());
            starts && length >= *least && (!matches!(letters, Letters::Upper) || length == *least)
        })
    });
    known
        .map(|(.., kind)| *kind)
        .or_else(|| value.match_indices("eyJ").any(|(at, _)| is_jwt(&value[at..])).then_some("a JWT"))
}

/// Header and payload are JSON objects in base64, and a signature follows.
fn is_jwt(text: &str) -> bool {
    let text = start(text);
    let end = text.find(|c| !Letters::Token.take(c)).unwrap_or(text.len());
    let mut parts = text[..end].split('.');
    let (Some(header), Some(payload), Some(signature)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    header.len() >= 10 && payload.starts_with("eyJ") && payload.len() >= 10 && signature.len() >= 10
}

fn private_key(value: &str) -> Option<Kind> {
    value.match_indices("-----BEGIN ").find_map(|(at, begin)| {
        let rest = &value[at + begin.len()..];
        let label = rest.split("-----").next()?;
        label
            .ends_with("PRIVATE KEY")
            .then_some("a private key")
            .or(label.ends_with("PRIVATE KEY BLOCK").then_some("a private key"))
    })
}

/// `scheme://user:password@host`, with a password that stands there.
fn url_with_password(value: &str) -> Option<Kind> {
    value.match_indices("://").find_map(|(at, _)| {
        let rest = &value[at + 3..];
        let authority = rest.split(['/', '?', '#', ' ', '"', '\'', ',']).next()?;
        let (user_info, _) = authority.rsplit_once('@')?;
        let (_, password) = user_info.split_once(':')?;
        is_a_value(password).then_some("a URL with a password")
    })
}

/// `Password=…;` of a connection string, `--password=…` and `-Dx.password=…` of a command line.
fn parameter_of_text(value: &str) -> Option<Kind> {
    value.match_indices('=').find_map(|(at, _)| {
        let name =
            end(&value[..at]).rsplit([';', ' ', '&', ',', '?', '"', '\'', '\n', '\t']).next()?.trim_start_matches('-');
        let rest = start(&value[at + 1..]).trim_start_matches(['"', '\'']);
        let held = rest.split([';', ' ', '&', '"', '\'', '\n', '\t']).next()?;
        if name.is_empty() || name.len() > 80 {
            return None;
        }
        by_name(name, held)
    })
}

/// How much of a text is looked at from one place on: however long it is and whatever it repeats,
/// the work grows with its length only.
const REACH: usize = 512;

fn start(text: &str) -> &str {
    &text[..text.floor_char_boundary(REACH)]
}

fn end(text: &str) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(REACH))..]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together here, so that no file of this project holds what a scanner takes for a secret.
    fn token(prefix: &str, length: usize) -> String {
        prefix.to_owned() + &"aB3dE5gH1jK7mN9pQ2sT4vW6yZ8".repeat(8)[..length]
    }

    #[test]
    fn a_value_tells_by_its_form() {
        for (value, kind) in [
            (format!("AKIA{}", "IOSFODNN7ABCDEFG"), Some("an AWS access key")),
            (format!("AKIA{}", "IOSFODNN7ABCDEFGH"), None),
            (format!("MAKIA{}", "IOSFODNN7ABCDEFG"), None),
            (token("ghp_", 36), Some("a GitHub token")),
            (token("ghp_", 20), None),
            (format!("https://x-access-token:{}@github.com/a/b", token("ghs_", 36)), Some("a GitHub token")),
            (token("xoxb-", 30), Some("a Slack token")),
            (token("sk_live_", 24), Some("a Stripe key")),
            (token("AIza", 35), Some("a Google API key")),
            (format!("{}.{}.{}", token("eyJ", 20), token("eyJ", 30), token("", 20)), Some("a JWT")),
            ("-----BEGIN RSA PRIVATE KEY-----\nMII".into(), Some("a private key")),
            ("-----BEGIN CERTIFICATE-----\nMII".into(), None),
            ("postgres://app:hunter2@db:5432/app".into(), Some("a URL with a password")),
            ("postgres://app:p@ss@db/app".into(), Some("a URL with a password")),
            ("postgres://app:${PASSWORD}@db/app".into(), None),
            ("postgres://app@db/app".into(), None),
            ("http://example.com:8080/a@b".into(), None),
            ("https://<user>:<password>@example.com".into(), None),
            ("Server=db;Uid=app;Pwd=hunter2;".into(), Some("a password")),
            ("Server=db;Password=${PASSWORD};".into(), None),
            ("redis-server --requirepass=hunter2".into(), Some("a password")),
            ("-Dspring.datasource.password=hunter2 -jar a.jar".into(), Some("a password")),
            ("a=b".into(), None),
            ("https://example.com/?page_token=1".into(), None),
        ] {
            assert_eq!(by_value(&value), kind, "{value}");
        }
    }

    #[test]
    fn a_long_text_takes_no_longer_than_its_length() {
        let began = std::time::Instant::now();
        for piece in ["eyJ", "ghp_", "a=", "a://b:", "-----BEGIN "] {
            by_value(&piece.repeat(20_000));
        }
        assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    }
}
