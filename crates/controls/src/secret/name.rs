//! Names that are those of secrets, and values that are none whatever the name is.

use super::Kind;

/// The kind of secret that a value is by the name that it is given to. A value that only points at
/// a secret, or that a tool puts in later, is none.
pub fn by_name(name: &str, value: &str) -> Option<Kind> {
    let kind = name_kind(name)?;
    match kind {
        NameKind::Sure(_) if !is_a_value(value) => None,
        NameKind::Sure(kind) if kind == PASSWORD || !is_a_number(value) => Some(kind),
        NameKind::Likely(kind) if is_random(value) => Some(kind),
        _ => None,
    }
}

/// The kind of secret that something of that name holds, whatever it is.
pub fn name_says(name: &str) -> Option<Kind> {
    match name_kind(name)? {
        NameKind::Sure(kind) => Some(kind),
        NameKind::Likely(_) => None,
    }
}

const PASSWORD: Kind = "a password";

/// The kind of secret that an argument of a command is, given the one before it:
/// `--password`, `hunter2`.
pub fn by_option(option: &str, value: &str) -> Option<Kind> {
    let name = option.strip_prefix('-')?.trim_start_matches('-');
    if option.contains(['=', ' ']) || value.starts_with('-') {
        return None;
    }
    by_name(name, value)
}

enum NameKind {
    /// What bears such a name is a secret.
    Sure(Kind),
    /// What bears such a name is one when it looks random.
    Likely(Kind),
}

/// Words that make a name that of a secret; the ones before are asked first.
const SURE: &[(&[&str], Kind)] = &[
    (&["AWS", "ACCESS", "KEY", "ID"], "an AWS access key"),
    (&["SECRET", "ACCESS", "KEY"], "a secret key"),
    (&["PASSWORD"], PASSWORD),
    (&["PASSWD"], PASSWORD),
    (&["PASSWORT"], PASSWORD),
    (&["PASSPHRASE"], PASSWORD),
    (&["REQUIREPASS"], PASSWORD),
    (&["MASTERAUTH"], PASSWORD),
    (&["DB", "PASS"], PASSWORD),
    (&["PGPASS"], PASSWORD),
    (&["USER", "PASS"], PASSWORD),
    (&["ROOT", "PASS"], PASSWORD),
    (&["ADMIN", "PASS"], PASSWORD),
    (&["SMTP", "PASS"], PASSWORD),
    (&["PWD"], PASSWORD),
    (&["SECRET"], "a secret"),
    (&["SECRETKEY"], "a secret"),
    (&["CLIENTSECRET"], "a secret"),
    (&["TOKEN"], "a token"),
    (&["AUTHTOKEN"], "a token"),
    (&["ACCESSTOKEN"], "a token"),
    (&["API", "KEY"], "an API key"),
    (&["APIKEY"], "an API key"),
    (&["ACCESS", "KEY"], "an access key"),
    (&["ACCESSKEY"], "an access key"),
    (&["ACCOUNT", "KEY"], "an access key"),
    (&["ACCOUNTKEY"], "an access key"),
    (&["SHAREDACCESSKEY"], "an access key"),
    (&["PRIVATE", "KEY"], "a private key"),
    (&["PRIVATEKEY"], "a private key"),
    (&["ENCRYPTION", "KEY"], "an encryption key"),
    (&["SIGNING", "KEY"], "a signing key"),
    (&["MASTER", "KEY"], "a secret key"),
    (&["SESSION", "KEY"], "a secret key"),
    (&["LICENSE", "KEY"], "a licence key"),
    (&["CREDENTIALS"], "credentials"),
    (&["ECS", "ENGINE", "AUTH", "DATA"], "credentials"),
];

const LIKELY: &[(&[&str], Kind)] = &[
    (&["KEY"], "what looks like a key"),
    (&["AUTH"], "what looks like credentials"),
    (&["PASS"], "what looks like a password"),
    (&["SALT"], "what looks like a secret"),
    (&["SIGNATURE"], "what looks like a secret"),
    (&["CREDENTIAL"], "what looks like credentials"),
];

/// Words at the end of a name that make it that of something about a secret.
const ABOUT: &[&str] = &[
    "ALGORITHM",
    "ALG",
    "ARN",
    "ARNS",
    "AUDIENCE",
    "BUCKET",
    "BYTES",
    "CHARS",
    "COUNT",
    "DAYS",
    "DIR",
    "DISABLED",
    "DURATION",
    "ENABLED",
    "ENDPOINT",
    "EXPIRATION",
    "EXPIRES",
    "EXPIRY",
    "FIELD",
    "FILE",
    "FILENAME",
    "FILES",
    "FOLDER",
    "FORMAT",
    "GROUP",
    "HEADER",
    "HOST",
    "HOURS",
    "ID",
    "IDS",
    "IN",
    "INTERVAL",
    "ISSUER",
    "LENGTH",
    "LIFETIME",
    "LIMIT",
    "LOCATION",
    "MANAGER",
    "MAX",
    "METHOD",
    "MIN",
    "MINUTES",
    "MODE",
    "NAME",
    "NAMES",
    "NAMESPACE",
    "PATH",
    "PLUGIN",
    "POLICY",
    "PORT",
    "PREFIX",
    "PROVIDER",
    "REGION",
    "REQUIRED",
    "ROTATION",
    "SCHEME",
    "SCOPE",
    "SECONDS",
    "SERVER",
    "SIZE",
    "STORE",
    "STRENGTH",
    "SUFFIX",
    "TIMEOUT",
    "TTL",
    "TYPE",
    "URI",
    "URL",
    "USER",
    "USERNAME",
    "VALIDITY",
    "VERSION",
    "RESET",
    "ONLY",
    "MS",
];

fn name_kind(name: &str) -> Option<NameKind> {
    let words = words(name);
    let holds =
        |wanted: &[&str]| words.windows(wanted.len()).any(|window| window.iter().zip(wanted).all(|(a, b)| a == b));
    // `PWD` and `OLDPWD` are the shell's own.
    if words.is_empty() || matches!(name, "PWD" | "OLDPWD") || holds(&["PUBLIC", "KEY"]) {
        return None;
    }
    if let Some((_, kind)) = SURE.iter().find(|(wanted, _)| wanted.len() == 4 && holds(wanted)) {
        return Some(NameKind::Sure(kind));
    }
    let last = words.last().map(String::as_str).unwrap_or_default();
    let yes_or_no =
        ["ALLOW", "USE", "ENABLE", "DISABLE", "REQUIRE", "RANDOM", "GENERATE", "SKIP", "ROTATE", "HAS", "IS"];
    if ABOUT.contains(&last) || words.first().is_some_and(|first| yes_or_no.contains(&first.as_str())) {
        return None;
    }
    SURE.iter()
        .find(|(wanted, _)| holds(wanted))
        .map(|(_, kind)| NameKind::Sure(kind))
        .or_else(|| LIKELY.iter().find(|(wanted, _)| holds(wanted)).map(|(_, kind)| NameKind::Likely(kind)))
}

/// `dbPassword`, `DB_PASSWORD` and `spring.db-password` are DB, PASSWORD and so on. A word that ends
/// in PASSWORD, SECRET or TOKEN without a border (`MYSQLPASSWORD`) is parted there.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    for part in name.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut word = String::new();
        let letters: Vec<char> = part.chars().collect();
        for (i, c) in letters.iter().enumerate() {
            let starts = i > 0
                && c.is_ascii_uppercase()
                && (letters[i - 1].is_ascii_lowercase()
                    || letters.get(i + 1).is_some_and(|next| next.is_ascii_lowercase())
                        && letters[i - 1].is_ascii_uppercase());
            if starts && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            word.push(c.to_ascii_uppercase());
        }
        if !word.is_empty() {
            words.push(word);
        }
    }
    words
        .into_iter()
        .flat_map(|word| {
            let end = ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "APIKEY"]
                .into_iter()
                .find(|end| word.len() > end.len() && word.ends_with(end));
            match end {
                Some(end) => vec![word[..word.len() - end.len()].to_owned(), end.to_owned()],
                None => vec![word],
            }
        })
        .collect()
}

/// The text is a value of its own, and not a reference, a place, a switch, or a gap to be filled.
pub(super) fn is_a_value(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let lower = value.to_ascii_lowercase();
    let gap = |open: &str, close: &str| value.starts_with(open) && value.ends_with(close);
    let same = value.chars().next().is_some_and(|first| value.chars().all(|c| c == first)) && value.len() > 1;
    let switch = matches!(
        lower.as_str(),
        "" | "true"
            | "false"
            | "yes"
            | "no"
            | "on"
            | "off"
            | "null"
            | "none"
            | "nil"
            | "undefined"
            | "enabled"
            | "disabled"
    );
    let reference =
        ["arn:", "ssm:", "ssm-secure:", "secretsmanager:", "vault:", "env:", "file:", "op://", "aws-sm:", "kms:"]
            .iter()
            .any(|scheme| lower.starts_with(scheme));
    let told =
        ["your", "replace", "insert", "todo", "fixme", "enter_", "enter-"].iter().any(|word| lower.starts_with(word))
            && lower.contains(['_', '-', ' ']);
    let path = value.starts_with('/') && value.len() > 1 && value[1..].contains('/') && !value.contains(['=', '+']);
    let substituted = value.contains("${") || value.contains("$(") || value.contains("{{") || value.starts_with('$');
    let filled = gap("<", ">") || gap("%", "%") || gap("@", "@") || gap("__", "__") || gap("[", "]") || gap("{", "}");
    !(switch
        || same && !value.starts_with(|c: char| c.is_ascii_digit())
        || reference
        || told
        || path
        || substituted
        || filled)
}

fn is_a_number(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// Letters and digits in an order that nobody would think of: at least 16 of them, that change
/// from the one to the other time and again, and 3 bits a character.
fn is_random(value: &str) -> bool {
    let value = value.trim();
    let parts = value.split(['-', '_', '.', '/']).count();
    if value.len() < 16 || parts > 5 || !is_a_value(value) || value.contains([' ', ':', ',']) {
        return false;
    }
    let mut counts = [0_u32; 128];
    for b in value.bytes() {
        match counts.get_mut(usize::from(b)) {
            Some(count) => *count += 1,
            None => return false,
        }
    }
    let length = value.len() as f64;
    let shares = counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / length);
    let bits: f64 = shares.map(|share| -share * share.log2()).sum();
    let kinds: Vec<bool> = value.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.is_ascii_digit()).collect();
    kinds.windows(2).filter(|pair| pair[0] != pair[1]).count() >= 4 && bits >= 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_its_value_is() {
        for (name, value, kind) in [
            ("DB_PASSWORD", "hunter2", Some("a password")),
            ("dbPassword", "changeme", Some("a password")),
            ("MYSQLPASSWORD", "12345", Some("a password")),
            ("POSTGRES_PASSWORD", "", None),
            ("POSTGRES_PASSWORD", "${POSTGRES_PASSWORD}", None),
            ("POSTGRES_PASSWORD", "<your password>", None),
            ("POSTGRES_PASSWORD", "********", None),
            ("POSTGRES_PASSWORD_FILE", "/run/secrets/password", None),
            ("PASSWORD", "/run/secrets/password", None),
            ("MYSQL_ALLOW_EMPTY_PASSWORD", "yes", None),
            ("PASSWORD_RESET_URL", "https://example.com", None),
            ("DB_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:1:secret:a", None),
            ("SECRET", "arn:aws:secretsmanager:eu-west-1:1:secret:a", None),
            ("MAX_TOKENS", "4096", None),
            ("TOKEN_TTL", "3600", None),
            ("TOKEN", "3600", None),
            ("API_KEY", "your-api-key-here", None),
            ("API_KEY", "abcdef", Some("an API key")),
            ("AWS_ACCESS_KEY_ID", "AIPA8YOHGIS58IBFDU3E", Some("an AWS access key")),
            ("AWS_SECRET_ACCESS_KEY", "abc/def", Some("a secret key")),
            ("SSH_PUBLIC_KEY", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ", None),
            ("KEYCLOAK_USER", "admin", None),
            ("KEYBOARD", "d41d8cd98f00b204e9800998ecf8427e", None),
            ("SENTRY_KEY", "d41d8cd98f00b204e9800998ecf8427e", Some("what looks like a key")),
            ("SORT_KEY", "created_at_timestamp_1", None),
            ("PWD", "/app", None),
            ("AUTHOR", "someone", None),
            ("MONKEY", "banana", None),
        ] {
            assert_eq!(by_name(name, value), kind, "{name}={value}");
        }
    }

    #[test]
    fn an_option_tells_what_follows_it() {
        assert_eq!(by_option("--password", "hunter2"), Some("a password"));
        assert_eq!(by_option("--password", "--other"), None);
        assert_eq!(by_option("--password", "${PASSWORD}"), None);
        assert_eq!(by_option("password", "hunter2"), None);
        assert_eq!(by_option("--page-token-limit", "10"), None);
    }
}
