//! Places: how many fetches there are at once, at one host, in its neighbourhood and in all. Others choose the hosts, and each fetch holds
//! a socket and its answer: whoever names slow servers must not take the places of everybody else.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::{Host, Url};

use super::EgressError;

/// The most fetches at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    pub(super) at_host: usize,
    /// At hosts under one name: whoever has a domain has as many names in it as they like.
    pub(super) nearby: usize,
    pub(super) in_all: usize,
}

impl Default for Most {
    fn default() -> Self {
        Self { at_host: 16, nearby: 32, in_all: 256 }
    }
}

/// The places of one process.
#[derive(Debug)]
pub(super) struct Places {
    most: Most,
    all: Arc<Semaphore>,
    // Only of hosts that somebody fetches from, or waits for.
    hosts: Mutex<HashMap<String, Weak<Semaphore>>>,
    nearby: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// A place that is taken, until it is dropped.
#[derive(Debug)]
pub(super) struct Place(#[expect(dead_code, reason = "held until it is dropped")] [OwnedSemaphorePermit; 3]);

impl Places {
    pub(super) fn new(most: Most) -> Self {
        Self { most, all: Arc::new(Semaphore::new(most.in_all)), hosts: Mutex::default(), nearby: Mutex::default() }
    }

    /// Takes a place for one request to `url`, as soon as there is one.
    pub(super) async fn take(&self, url: &Url) -> Result<Place, EgressError> {
        let host = url.host_str().unwrap_or_default().trim_end_matches('.');
        // From the narrow to the wide: who waits for a slow host waits outside, where it takes nothing from others.
        let of_host = permit(of(&self.hosts, host, self.most.at_host)).await?;
        let of_nearby = permit(of(&self.nearby, &neighbourhood(url), self.most.nearby)).await?;
        let of_all = permit(Arc::clone(&self.all)).await?;
        Ok(Place([of_host, of_nearby, of_all]))
    }
}

async fn permit(places: Arc<Semaphore>) -> Result<OwnedSemaphorePermit, EgressError> {
    places.acquire_owned().await.map_err(|_| EgressError::Unreachable("the server is stopping".to_owned()))
}

fn of(places: &Mutex<HashMap<String, Weak<Semaphore>>>, name: &str, most: usize) -> Arc<Semaphore> {
    let mut places = places.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = places.get(name).and_then(Weak::upgrade) {
        return known;
    }
    places.retain(|_, known| known.strong_count() > 0);
    let new = Arc::new(Semaphore::new(most));
    places.insert(name.to_owned(), Arc::downgrade(&new));
    new
}

// The last two labels of a name. Where a registry gives out names below those, strangers are neighbours, and wait for each other only
// where many of their servers are slow. Of an IPv6 address the /64, which whoever has one usually has as a whole.
fn neighbourhood(url: &Url) -> String {
    match url.host() {
        Some(Host::Domain(name)) => {
            let mut labels: Vec<&str> = name.trim_end_matches('.').rsplit('.').take(2).collect();
            labels.reverse();
            labels.join(".")
        }
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()).to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const MOST: Most = Most { at_host: 2, nearby: 3, in_all: 5 };

    fn now(places: &Places, url: &str) -> Option<Place> {
        places.take(&Url::parse(url).unwrap()).now_or_never().map(Result::unwrap)
    }

    #[test]
    fn a_slow_host_takes_no_more_than_its_places() {
        let places = Places::new(MOST);
        let first = now(&places, "https://slow.example/a");
        let second = now(&places, "https://slow.example:8443/b");
        assert!(first.is_some() && second.is_some());
        // Whatever the port, the path and the case; and nobody who waits there holds a place of all.
        let url = Url::parse("https://SLOW.example./c").unwrap();
        let mut waiting: Vec<_> = (0..50).map(|_| Box::pin(places.take(&url))).collect();
        assert!(waiting.iter_mut().all(|taking| taking.now_or_never().is_none()));
        let others: Vec<_> = ["https://a.test/", "https://b.org/", "https://192.0.2.1/"].map(|url| now(&places, url)).into();
        assert!(others.iter().all(Option::is_some));
        assert!(now(&places, "https://c.net/").is_none(), "five in all");
        drop(others);
        assert!(now(&places, "https://c.net/").is_some());
        drop(first);
        assert!(waiting[0].as_mut().now_or_never().is_some(), "the place of a host is its next one's");
    }

    #[test]
    fn many_names_of_one_domain_are_one_neighbourhood() {
        let places = Places::new(MOST);
        let taken: Vec<_> = (0..3).map(|number| now(&places, &format!("https://n{number}.evil.example/"))).collect();
        assert!(taken.iter().all(Option::is_some));
        assert!(now(&places, "https://n3.evil.example/").is_none() && now(&places, "https://a.b.evil.example/").is_none());
        assert!(now(&places, "https://good.test/").is_some());
        let of = |url: &str| neighbourhood(&Url::parse(url).unwrap());
        assert_eq!(
            (of("https://a.b.c.example"), of("https://c.example."), of("https://localhost")),
            ("c.example".into(), "c.example".into(), "localhost".into())
        );
        assert_eq!(of("https://[2001:db8::1]/"), of("https://[2001:db8::2:1]/"));
        assert_ne!(of("https://[2001:db8::1]/"), of("https://[2001:db8:0:1::1]/"));
        assert_ne!(of("https://192.0.2.1/"), of("https://192.0.2.2/"));
    }

    #[test]
    fn hosts_that_nobody_fetches_from_are_forgotten() {
        let places = Places::new(MOST);
        for number in 0..100 {
            assert!(now(&places, &format!("https://n{number}.d{number}.test/")).is_some());
        }
        assert_eq!((places.hosts.lock().unwrap().len(), places.nearby.lock().unwrap().len()), (1, 1));
    }
}
