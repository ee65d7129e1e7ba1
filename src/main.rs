//! The application that shows the sessions: register, sign in, guarded pages, sign out.

mod app;

#[rocket::launch]
fn rocket() -> _ {
    app::rocket()
}
