//! A browser that walks from the application to the provider's pages and back.

use testing::visitor::{Answer, Visitor};

use crate::club::{Club, callback};

/// The pages between the application and its callback: sign-in, consent, and redirects between them.
const MOST_PAGES: usize = 12;

pub struct Browser<'c> {
    club: &'c Club,
    visitor: Visitor,
}

impl<'c> Browser<'c> {
    pub fn new(club: &'c Club, visitor: Visitor) -> Self {
        Self { club, visitor }
    }

    /// Gets a page of the application, or of anyone by the whole address.
    pub fn get(&self, address: &str) -> Answer {
        self.visitor.get(&absolute(&self.club.base, address))
    }

    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.visitor.post(&absolute(&self.club.base, path), fields)
    }

    /// Asks for a page of members, and returns the address of the provider's page behind it.
    pub fn begin(&self, page: &str) -> String {
        let sign_in = self.get(page);
        let sign_in = sign_in.location();
        assert!(sign_in.starts_with("/sign_in?next="), "{sign_in}");
        self.get(sign_in).location().to_owned()
    }

    /// Fills in the provider's pages, and returns the address of the callback with its answer.
    pub fn pass(&self, page: &str, name: &str) -> String {
        self.walk(page, |page| {
            let fields = [
                ("prompt", between(page, "name=\"prompt\" value=\"")),
                ("login", name),
                ("password", "any"),
            ];
            self.visitor.post(between(page, "action=\""), &fields)
        })
    }

    /// Cancels at the provider, and returns the address of the callback with its answer.
    pub fn cancel(&self, page: &str) -> String {
        self.walk(page, |page| self.at_provider(between(page, "<a href=\"")))
    }

    /// Follows redirects, and lets `answer` do something on each page.
    fn walk(&self, page: &str, answer: impl Fn(&str) -> Answer) -> String {
        let callback = callback(&self.club.base);
        let mut last = self.visitor.get(page);
        for _ in 0..MOST_PAGES {
            last = match last.header("Location") {
                Some(address) if address.starts_with(&callback) => return address.to_owned(),
                Some(address) => self.at_provider(address),
                None => answer(&last.body),
            };
        }
        panic!("no way back from {page}: {last:?}");
    }

    fn at_provider(&self, address: &str) -> Answer {
        self.visitor.get(&absolute(&self.club.issuer, address))
    }

    /// Signs in, and returns the application's answer.
    pub fn sign_in(&self, name: &str) -> Answer {
        let page = self.begin("/");
        self.get(&self.pass(&page, name))
    }

    /// The value of the application's cookie.
    pub fn cookie(&self) -> String {
        self.visitor.cookie("id").unwrap()
    }

    pub fn cookies(&self) -> String {
        self.visitor.cookies()
    }
}

fn absolute(base: &str, address: &str) -> String {
    match address.starts_with('/') {
        true => format!("{base}{address}"),
        false => address.to_owned(),
    }
}

/// What a page has between this beginning and the next quotation mark.
fn between<'p>(page: &'p str, beginning: &str) -> &'p str {
    let rest = page.split_once(beginning);
    let (_, rest) = rest.unwrap_or_else(|| panic!("no {beginning} in {page}"));
    rest.split('"').next().unwrap()
}

/// The value of a parameter of an address, as it stands there.
pub fn parameter<'a>(address: &'a str, name: &str) -> &'a str {
    let (_, query) = address.split_once('?').unwrap();
    let mut values = query.split('&').filter_map(|it| it.split_once('='));
    values.find(|(known, _)| *known == name).unwrap().1
}

/// The address with another value of a parameter.
pub fn with_parameter(address: &str, name: &str, value: &str) -> String {
    let old = format!("{name}={}", parameter(address, name));
    address.replacen(&old, &format!("{name}={value}"), 1)
}

/// The address without a parameter.
pub fn without_parameter(address: &str, name: &str) -> String {
    let old = format!("&{name}={}", parameter(address, name));
    address.replacen(&old, "", 1)
}
