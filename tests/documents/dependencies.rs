//! Cargo.lock has the fixed releases of dependencies with advisories.

/// The versions of a package.
fn versions(name: &str) -> Vec<Vec<u32>> {
    let packages = include_str!("../../Cargo.lock").split("[[package]]");
    let head = format!("\nname = \"{name}\"\nversion = \"");
    let versions = packages.filter_map(|package| package.strip_prefix(&*head)?.split('"').next());
    let numbers = |version: &str| version.split('.').map(|it| it.parse().unwrap()).collect();
    versions.map(numbers).collect()
}

#[test]
fn rustsec_2024_0365_fixed_releases_are_used() {
    for (name, repaired) in [
        // RUSTSEC-2024-0365, 2026-0111, 2026-0134 and 2026-0172
        ("diesel", [2, 3, 10]),
        // RUSTSEC-2026-0258
        ("h2", [0, 4, 16]),
        // RUSTSEC-2026-0009
        ("time", [0, 3, 47]),
    ] {
        let versions = versions(name);
        assert!(!versions.is_empty(), "{name}");
        let old = versions.iter().find(|version| version[..] < repaired[..]);
        assert_eq!(old, None, "{name}");
    }
}
