//! The page `docs/configuration.md`, printed from the table.

use std::fmt::Write as _;

use super::Draft;
use super::known::{NOT_YET, Standing, families};
use super::table::{PER_PROVIDER, SECTIONS, Setting};
use evident_commands::settings::Builtin;

const HEAD: &str = "\
# Configuration

This page is printed from the code (`api/src/config/table`); `UPDATE_DOCS=1 cargo test -p evident-api config`
writes it anew.

Everything has a default: `evident serve` needs no configuration at all. Values come from five places, and later
ones win:

1. the defaults below,
2. the file `evident.toml`: the one that `--config` or `EVIDENT_CONFIG` names, else `./evident.toml` if it is there,
3. the names that users of Supabase Auth and Better Auth have in their environment already (\"also read\" below),
4. `EVIDENT_*`: the key in capitals, with `_` for each dot; `mail.autoconfirm` is `EVIDENT_MAIL_AUTOCONFIRM`,
5. the command line.

In the file the part before the last dot is a table:

```toml
data_dir = \"/var/lib/evident\"

[mail]
autoconfirm = true

[site]
url = \"https://app.example.com\"
redirect_allow_list = [\"https://*.example.com/**\", \"myapp://callback\"]
```

- An empty value counts as not set.
- *true or false* is also written `1`, `t`, `0`, `f`.
- A *duration* is a number with a unit, as in `90s`, `1h30m`, `250ms`.
- A *list* is parted by commas in the environment (`a,b`), and a list in the file (`[\"a\", \"b\"]`); a *map* is
  `a:b,c:d`, and a table in the file.
- A bad value, or a key of the file that nobody knows, stops the start with one line that names it. Variables that
  are unknown, or not supported yet, are warnings in the log.
";

const TABLE_HEAD: &str =
    "| Key | Kind | Default | Meaning | Example | Also read |\n|---|---|---|---|---|---|\n";

/// The page `docs/configuration.md`.
pub fn markdown() -> String {
    let mut page = HEAD.to_owned();
    let defaults = Draft::default();
    for section in SECTIONS {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "\n## {}\n", section.title);
        if section.title == PER_PROVIDER {
            page.push_str(&per_provider(section.settings, &defaults));
            continue;
        }
        page.push_str(TABLE_HEAD);
        for setting in section.settings {
            page.push_str(&row(setting, &defaults));
        }
    }
    page.push_str("\n## Variables of Supabase Auth without effect\n");
    for (standing, sentence) in [
        (Standing::Guard, "They protect accounts there and do nothing here yet; the start warns aloud"),
        (Standing::Later, "Not supported yet; the start warns"),
        (Standing::Needless, "Nothing here needs them"),
    ] {
        let names: Vec<String> = families(standing).map(|name| code(&name)).collect();
        let _ = writeln!(page, "\n{sentence}: {}.", names.join(", "));
    }
    page
}

fn row(setting: &Setting, defaults: &Draft) -> String {
    format!(
        "| `{}` | {} | {} | {} | {} | {} |\n",
        setting.key,
        setting.kind,
        default_of(setting, defaults),
        meaning_of(setting),
        example_of(setting),
        setting.aliases.iter().map(|alias| code(alias)).collect::<Vec<_>>().join(", "),
    )
}

/// The settings that every provider has, once for all of them.
fn per_provider(settings: &[Setting], defaults: &Draft) -> String {
    let names: Vec<&str> = Builtin::ALL.iter().map(|provider| provider.name()).collect();
    let first = names.first().copied().unwrap_or_default();
    let mut page = format!("For each `<name>` of {}.\n\n{TABLE_HEAD}", names.join(", "));
    for setting in settings.iter().take(settings.len() / names.len().max(1)) {
        page.push_str(
            &row(setting, defaults).replace(first, "<name>").replace(&first.to_uppercase(), "<NAME>"),
        );
    }
    page
}

fn default_of(setting: &Setting, defaults: &Draft) -> String {
    if !setting.unset.is_empty() {
        return cell(setting.unset);
    }
    let value = (setting.show)(defaults);
    if value.is_empty() { "–".to_owned() } else { code(&value) }
}

fn meaning_of(setting: &Setting) -> String {
    let idle = if NOT_YET.contains(&setting.key) { " *No effect yet.*" } else { "" };
    format!("{}{idle}", cell(setting.meaning))
}

fn example_of(setting: &Setting) -> String {
    // In brackets stands how a value is made.
    match setting.example.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(words) => cell(words),
        None => code(setting.example),
    }
}

fn code(text: &str) -> String {
    format!("`{}`", cell(text))
}

/// A text that does not end its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
