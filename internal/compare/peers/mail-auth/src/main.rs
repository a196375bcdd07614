//! Does the works of the speed table by mail-auth, in turns with the others: see speed_test.go.
//!
//! The argument is a folder with one folder for each work: `zone` has lines of a name, a type
//! and a record with tabs between them, and `message` is the message, if there is one. A line
//! "WORK N" on standard input asks for N times that work, and is answered with the nanoseconds
//! of processor time that it took, or with "-" for a work that is not done here.
//!
//! All answers are in a cache, parsed, as mail-auth keeps them. The cache has no lock.

use mail_auth::{
    AuthenticatedMessage, DkimResult, DmarcResult, DnsCache, DnsError, DnssecStatus, Error, MessageAuthenticator, Mx,
    Negative, Parameters, RecordSet, ResolverCache, SpfResult, TxtRecord,
    dkim::DomainKey,
    dmarc::{DmarcRecord, verify::DmarcParameters},
    dns::TxtRecordParser,
    hickory_resolver::proto::op::ResponseCode,
    spf::{SpfRecord, verify::SpfParameters},
};
use std::{
    borrow::Borrow,
    collections::HashMap,
    fs,
    hash::Hash,
    hint::black_box,
    io::{self, BufRead, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::Path,
    time::Instant,
};

/// Answers by name. What is not there is known to be absent.
struct Answers<K, V> {
    known: HashMap<K, V>,
    absent: V,
}

impl<K: Hash + Eq, V: Clone> ResolverCache<K, V> for Answers<K, V> {
    fn get<Q: Hash + Eq + ?Sized>(&self, name: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        Some(self.known.get(name).unwrap_or(&self.absent).clone())
    }
    fn remove<Q: Hash + Eq + ?Sized>(&self, _: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        None
    }
    fn insert(&self, _: K, _: V, _: Instant) {}
}

type Answer<T> = Result<RecordSet<T>, Negative>;

struct Dns {
    txt: Answers<Box<str>, TxtRecord>,
    mx: Answers<Box<str>, Answer<Mx>>,
    ipv4: Answers<Box<str>, Answer<Ipv4Addr>>,
    ipv6: Answers<Box<str>, Answer<Ipv6Addr>>,
    ptr: Answers<IpAddr, Answer<Box<str>>>,
}

impl DnsCache for Dns {
    type Txt = Answers<Box<str>, TxtRecord>;
    type Mx = Answers<Box<str>, Answer<Mx>>;
    type Ipv4 = Answers<Box<str>, Answer<Ipv4Addr>>;
    type Ipv6 = Answers<Box<str>, Answer<Ipv6Addr>>;
    type Ptr = Answers<IpAddr, Answer<Box<str>>>;
    fn txt(&self) -> Option<&Self::Txt> {
        Some(&self.txt)
    }
    fn mx(&self) -> Option<&Self::Mx> {
        Some(&self.mx)
    }
    fn ipv4(&self) -> Option<&Self::Ipv4> {
        Some(&self.ipv4)
    }
    fn ipv6(&self) -> Option<&Self::Ipv6> {
        Some(&self.ipv6)
    }
    fn ptr(&self) -> Option<&Self::Ptr> {
        Some(&self.ptr)
    }
}

fn records<T>(list: Vec<T>) -> Answer<T> {
    Ok(RecordSet { records: list.into(), dnssec_status: DnssecStatus::Indeterminate })
}

fn nothing<K: Hash + Eq, T>() -> Answers<K, Answer<T>> {
    Answers { known: HashMap::new(), absent: Err(Negative { code: ResponseCode::NXDomain }) }
}

fn read_zone(text: &str) -> Dns {
    let mut dns = Dns {
        txt: Answers {
            known: HashMap::new(),
            absent: TxtRecord::Error(Error::Dns(DnsError::RecordNotFound(ResponseCode::NXDomain))),
        },
        mx: nothing(),
        ipv4: nothing(),
        ipv6: nothing(),
        ptr: nothing(),
    };
    let mut exchangers: HashMap<Box<str>, Vec<Mx>> = HashMap::new();
    for line in text.lines() {
        let mut parts = line.splitn(3, '\t');
        let name: Box<str> = format!("{}.", parts.next().unwrap()).into();
        let (kind, value) = (parts.next().unwrap(), parts.next().unwrap());
        match kind {
            "TXT" if name.starts_with("_dmarc.") => {
                dns.txt.known.insert(name, DmarcRecord::parse(value.as_bytes()).into());
            }
            "TXT" if name.contains("._domainkey.") => {
                dns.txt.known.insert(name, DomainKey::parse(value.as_bytes()).into());
            }
            "TXT" => {
                dns.txt.known.insert(name, SpfRecord::parse(value.as_bytes()).into());
            }
            "A" => {
                dns.ipv4.known.insert(name, records(vec![value.parse().unwrap()]));
            }
            "MX" => {
                let (preference, host) = value.split_once(' ').unwrap();
                exchangers.entry(name).or_default().push(Mx {
                    exchanges: vec![format!("{host}.").into()].into(),
                    preference: preference.parse().unwrap(),
                });
            }
            _ => panic!("{kind}"),
        }
    }
    for (name, list) in exchangers {
        dns.mx.known.insert(name, records(list));
    }
    dns
}

struct Work {
    dns: Dns,
    message: Option<Vec<u8>>,
}

const IP: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const HELO: &str = "mail.shop.example";
const HOST: &str = "mx.receiver.example";
const MAIL_FROM: &str = "bounces@shop.example";

impl Work {
    async fn once(&self, authenticator: &MessageAuthenticator, name: &str) {
        let Some(message) = &self.message else {
            let from = SpfParameters::mail_from(IP, HELO, HOST, MAIL_FROM);
            let spf = authenticator.verify_spf(Parameters::new(from).with_cache(&self.dns)).await;
            assert_eq!(black_box(spf).result(), SpfResult::Pass);
            return;
        };
        let message = AuthenticatedMessage::parse(black_box(message)).unwrap();
        let dkim = authenticator.verify_dkim(Parameters::new(&message).with_cache(&self.dns)).await;
        assert!(dkim.len() == 1 && dkim[0].result() == &DkimResult::Pass, "{dkim:?}");
        if !name.starts_with("all") {
            return;
        }
        let both = SpfParameters::helo_and_mail_from(IP, HELO, HOST, MAIL_FROM);
        let spf = authenticator.verify_spf(Parameters::new(both).with_cache(&self.dns)).await;
        let all = DmarcParameters::new(&message, &dkim, "shop.example", &spf);
        let dmarc = authenticator.verify_dmarc(Parameters::new(all).with_cache(&self.dns)).await;
        assert!(
            dmarc.dkim_result() == &DmarcResult::Pass && dmarc.spf_result() == &DmarcResult::Pass,
            "{dmarc:?}"
        );
    }
}

/// The processor time of this process in nanoseconds.
fn processor_time() -> i64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec * 1_000_000_000 + t.tv_nsec
}

fn main() {
    let folder = std::env::args().nth(1).expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let authenticator = MessageAuthenticator::new_system_conf().unwrap();
        let mut works: HashMap<String, Work> = HashMap::new();
        for line in io::stdin().lock().lines() {
            let line = line.unwrap();
            let (name, count) = line.split_once(' ').unwrap();
            if !works.contains_key(name) {
                let path = Path::new(&folder).join(name);
                let work = Work {
                    dns: read_zone(&fs::read_to_string(path.join("zone")).unwrap()),
                    message: fs::read(path.join("message")).ok(),
                };
                works.insert(name.to_string(), work);
            }
            let work = &works[name];
            let start = processor_time();
            for _ in 0..count.parse().unwrap() {
                work.once(&authenticator, name).await;
            }
            println!("{}", processor_time() - start);
            io::stdout().flush().unwrap();
        }
    });
}
