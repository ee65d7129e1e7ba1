//! The migration of the sessions is the same in the folders of the library and of the application.

use std::fs;
use std::path::Path;

#[test]
fn the_application_has_the_migration_of_the_library() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = root.join("src/store/sql/migrations");
    let versions: Vec<_> = fs::read_dir(&library).unwrap().collect();
    assert_eq!(versions.len(), 1, "only what makes the sessions table");
    for version in versions {
        let version = version.unwrap().file_name();
        for file in ["up.sql", "down.sql"] {
            let read = |folder: &Path| fs::read_to_string(folder.join(&version).join(file));
            let application = read(&root.join("migrations")).unwrap();
            assert_eq!(read(&library).unwrap(), application, "{version:?}/{file}");
        }
    }
}
