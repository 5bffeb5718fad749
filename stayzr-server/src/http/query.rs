use std::str::FromStr;

use stayzr_core::port::PageRequest;

use super::Problem;

/// The query of a request, decoded.
#[derive(Debug, Clone, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes a raw query.
    pub fn parse(raw: Option<&str>) -> Result<Self, Problem> {
        let Some(raw) = raw else {
            return Ok(Self::default());
        };
        // `Url` decodes a query as browsers write it.
        let url = reqwest::Url::parse(&format!("http://query/?{raw}"))
            .map_err(|_| Problem::invalid("the query cannot be read"))?;
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        if pairs.iter().any(|(_, value)| value.contains('\0')) {
            return Err(Problem::invalid("the query holds a NUL character"));
        }
        Ok(Self(pairs))
    }

    /// A parameter that may be given once; an empty one counts as not given.
    pub fn one(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut values = self
            .0
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            return Err(Problem::invalid(format!(
                "`{name}` is given more than once"
            )));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    /// A parameter of a type.
    pub fn parsed<T: FromStr>(&self, name: &str, expected: &str) -> Result<Option<T>, Problem> {
        self.one(name)?
            .map(|value| {
                value.parse().map_err(|_| {
                    Problem::invalid(format!("`{name}` must be {expected}")).with("parameter", name)
                })
            })
            .transpose()
    }

    /// `limit` (1 to 1,000, usually 100) and `cursor`.
    pub fn page(&self) -> Result<PageRequest, Problem> {
        let expected = "a whole number from 1 to 1000";
        let limit = self.parsed::<u32>("limit", expected)?.unwrap_or(100);
        if !(1..=1000).contains(&limit) {
            return Err(
                Problem::invalid(format!("`limit` must be {expected}")).with("parameter", "limit")
            );
        }
        Ok(PageRequest {
            limit,
            cursor: self.one("cursor")?.map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(raw: &str) -> Query {
        Query::parse(Some(raw)).expect("readable")
    }

    #[test]
    fn parameters_are_decoded_and_given_once() {
        let query = query("search=Ana+Pe%C3%B1a&x=1&x=2&empty=");
        assert_eq!(query.one("search").expect("once"), Some("Ana Peña"));
        assert!(query.one("x").is_err());
        assert_eq!(query.one("empty").expect("once"), None);
        assert!(Query::parse(Some("search=%00")).is_err());
    }

    #[test]
    fn limits_outside_one_to_a_thousand_are_refused() {
        assert_eq!(query("").page().expect("default").limit, 100);
        assert_eq!(query("limit=1000&cursor=c").page().expect("ok").limit, 1000);
        for raw in [
            "limit=0",
            "limit=1001",
            "limit=-1",
            "limit=ten",
            "limit=1.5",
        ] {
            assert_eq!(query(raw).page().expect_err(raw).code(), "invalid");
        }
    }
}
