//! Rocket warns at each launch of a table whose name begins with `dev`, `prod` or `stag`; an example
//! reads the file of the folder in which it is started.

use std::fs;
use std::path::Path;

#[test]
fn no_configuration_has_a_profile_that_rocket_warns_of() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in [
        "Rocket.toml",
        "examples/moving_from_express/Rocket.toml",
        "examples/openid_connect/Rocket.toml",
    ] {
        let toml = fs::read_to_string(root.join(file)).unwrap();
        let tables = toml.lines().filter_map(|line| line.strip_prefix('['));
        for table in tables {
            let warned = ["dev", "prod", "stag"].map(|name| table.starts_with(name));
            assert_eq!(warned, [false; 3], "{file}: [{table}");
        }
    }
}
