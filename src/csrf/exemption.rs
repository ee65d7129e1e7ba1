//! The paths that are exempt from the CSRF protection, for webhooks.

use rocket::http::Method;
use rocket::{Orbit, Request, Rocket};

use crate::engine::context::Context;
use crate::error::{Error, require};
use crate::request::Incoming;

/// Checks the paths of [`Sessions::with_csrf_exemption`](crate::Sessions::with_csrf_exemption).
pub(crate) fn check(protects: bool, exempt: &[&str]) -> Result<(), Error> {
    require(protects || exempt.is_empty(), || {
        "Sessions::with_csrf_exemption has no effect without the CSRF protection; call \
         Sessions::with_csrf_protection, too, or leave it out"
            .into()
    })?;
    exempt.iter().try_for_each(|path| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        let dots = path.split('/').any(|segment| matches!(segment, "." | ".."));
        let whole = path.starts_with('/') && !path.contains("//") && !dots;
        require(whole && path.bytes().all(plain), || {
            format!(
                "Sessions::with_csrf_exemption was given {path:?}; give the whole path of one route, such \
                 as \"/webhooks/payments\", without parameters and query"
            )
        })
    })
}

/// Returns `true` for a POST to exactly one of these paths without a session's cookie. The path is
/// compared as it was sent, so other spellings of it are checked like other requests. So is a POST that
/// a form's `_method` turns into another method.
pub(super) fn holds(request: &Request<'_>, context: &Context, exempt: &[&str]) -> bool {
    request.method() == Method::Post
        && exempt.contains(&request.uri().path().as_str())
        && !Incoming::of(request, &context.config.cookie, &context.tokens).has_cookie
}

/// Returns the exempt paths at which no route takes a POST.
pub(crate) fn unused<'p>(rocket: &Rocket<Orbit>, exempt: &'p [&'p str]) -> Vec<&'p str> {
    let is_used = |path: &str| {
        let mut posts = rocket.routes().filter(|it| it.method == Method::Post);
        posts.any(|route| leads(route.uri.path(), path))
    };
    exempt
        .iter()
        .copied()
        .filter(|path| !is_used(path))
        .collect()
}

/// Returns `true` if a route with this pattern takes this path.
fn leads(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(part), _) if part.ends_with("..>") => return true,
            (Some(part), Some(segment)) if part == segment || part.starts_with('<') => {}
            _ => return false,
        }
    }
}
