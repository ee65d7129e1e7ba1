//! Uses the profiles `dev` and `prod`, for which Rocket warns of deprecated names.

use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;
use testing::application::Application;
use testing::root;

/// Returns the shipped configuration with further tables.
fn configured(tables: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["static", "templates"] {
        symlink(root().join(name), folder.path().join(name)).unwrap();
    }
    let shipped = fs::read_to_string(root().join("Rocket.toml")).unwrap();
    fs::write(folder.path().join("Rocket.toml"), shipped + tables).unwrap();
    folder
}

fn output(folder: &TempDir, profile: &str) -> String {
    let path = folder.path().join("Rocket.toml").display().to_string();
    let variables = [
        ("ROCKET_CONFIG", &*path),
        ("ROCKET_PROFILE", profile),
        ("ROCKET_LOG_LEVEL", "normal"),
    ];
    let url = format!("sqlite:{}", folder.path().join("app.db").display());
    Application::start_at(&url, &variables).output()
}

#[test]
fn both_are_taken_without_a_warning_and_with_the_tables_of_rockets_names() {
    let tables = "\n[dev]\nkeep_alive = 11\n[debug]\nkeep_alive = 12\nworkers = 3\n\
        [prod]\nkeep_alive = 21\n[staging]\nkeep_alive = 31\n";
    let folder = configured(tables);
    for (profile, values) in [
        ("dev", &["keep-alive: 11s", "workers: 3"][..]),
        ("debug", &["keep-alive: 12s", "workers: 3"]),
        ("prod", &["keep-alive: 21s"]),
        ("release", &["keep-alive: 21s"]),
        ("staging", &["keep-alive: 31s"]),
    ] {
        let output = output(&folder, profile);
        assert!(!output.contains("deprecated"), "{output}");
        assert!(!output.contains("Warning:"), "{output}");
        let configured = format!("Configured for {profile}.");
        for value in values.iter().chain([&&*configured]) {
            assert!(output.contains(value), "{value}: {output}");
        }
    }
}

#[test]
fn other_warnings_of_rocket_stay() {
    let folder = configured("\n[dev]\nread_timeout = 5\n");
    let output = output(&folder, "dev");
    let warning = "Warning: found value for deprecated config key `read_timeout`";
    assert!(output.contains(warning), "{output}");
}
