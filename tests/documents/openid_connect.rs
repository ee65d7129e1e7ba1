//! The guide to OpenID Connect has the files of its example, which are tested at a provider.

use crate::package::block;

const GUIDE: &str = include_str!("../../src/guide/openid_connect.md");

macro_rules! files {
    ($($fence:literal $comment:literal $path:literal),+ $(,)?) => {
        [$((
            concat!("```", $fence, "\n", $comment, " ", $path, "\n"),
            include_str!(concat!("../../examples/openid_connect/", $path)),
        )),+]
    };
}

#[test]
fn the_guide_to_openid_connect_shows_the_example() {
    for (beginning, file) in files![
        "toml" "#" "Rocket.toml",
        "sql" "--" "members.sql",
        "rs" "//" "src/attempt.rs",
        "rs" "//" "src/provider.rs",
        "rs" "//" "src/main.rs",
    ] {
        let (_, shown) = block(GUIDE, beginning).split_once('\n').unwrap();
        assert_eq!(shown, file, "{beginning}");
    }
}

#[test]
fn the_guide_to_openid_connect_has_the_example_s_dependencies() {
    let manifest = include_str!("../../examples/openid_connect/Cargo.toml");
    let shown = block(GUIDE, "```toml\n# Cargo.toml");
    let outside = ["openidconnect", "reqwest"];
    for name in outside {
        let line = |text: &'static str| text.lines().find(|line| line.starts_with(name));
        assert!(line(manifest).is_some(), "{name}");
        assert_eq!(line(shown), line(manifest));
    }
}
