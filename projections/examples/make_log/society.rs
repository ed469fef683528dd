//! Who lives in the log that is made, and what they do. Everything is a command that its aggregate accepts.

use std::sync::Arc;

use chrono::TimeDelta;
use evident_domain::attempt::{AdminRefusal, AttemptEvent, SignInRefusal};
use evident_domain::organization::{
    Action, By, Create, Invite, Organization, OrganizationCommand, Policy, Roles,
};
use evident_domain::ports::{Clock, Entropy};
use evident_domain::session::{ReusePolicy, RevocationReason, Session, SessionCommand, Start};
use evident_domain::user::{
    Confirmed, IdentityData, Proof, SignUp, SignUpMethod, TokenPurpose, UnprovenPassword, User, UserCommand,
};
use evident_domain::{
    Actor, Email, Event, IdentityId, InvitationId, MemberId, Metadata, OrganizationId, PasswordHash,
    Personal, Provenance, Root as _, SessionId, StreamId, Subject, Surface, TokenHash, UserId,
};
use evident_eventstore::{Append, StreamAppend};

use crate::dice::{Dice, StoryClock};

/// People who come and go at a time; who is pushed out never comes back.
const PRESENT: usize = 4_000;
/// Organizations where something happens at a time.
const ACTIVE: usize = 300;
/// Sessions of a person at most; the oldest is ended then.
const SESSIONS: usize = 3;

const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36",
    "shop-backend/2.4",
];
const GIVEN: [&str; 8] = ["Ada", "Bela", "Chidi", "Dilek", "Emeka", "Fatou", "Grete", "Hiro"];
const FAMILY: [&str; 8] = ["Álvarez", "Bauer", "Chen", "Diallo", "Eriksen", "Fofanah", "Gupta", "Haddad"];

/// Somebody.
struct Person {
    id: UserId,
    address: String,
    state: User,
    version: u64,
    sessions: Vec<(SessionId, Session, u64)>,
    /// Whether an organization knows them: such a person is not forgotten here.
    belongs: bool,
    ip: [u8; 4],
    agent: &'static str,
}

/// An organization.
struct Company {
    id: OrganizationId,
    state: Organization,
    version: u64,
}

/// Everybody.
pub(crate) struct Society {
    dice: Arc<Dice>,
    clock: Arc<StoryClock>,
    people: Vec<Person>,
    companies: Vec<Company>,
    born: u64,
    founded: u64,
    policy: Arc<Policy>,
}

/// What somebody does next.
#[derive(Clone, Copy)]
enum Doing {
    SignUp,
    SignIn,
    Refresh,
    SignOut,
    Profile,
    Recover,
    Fail,
    Deny,
    Ban,
    Erase,
    Found,
    Join,
    Invite,
}

/// How often each is done, in thousands.
const HABITS: [(Doing, usize); 13] = [
    (Doing::SignUp, 55),
    (Doing::SignIn, 130),
    (Doing::Refresh, 520),
    (Doing::SignOut, 40),
    (Doing::Profile, 60),
    (Doing::Recover, 20),
    (Doing::Fail, 100),
    (Doing::Deny, 5),
    (Doing::Ban, 10),
    (Doing::Erase, 2),
    (Doing::Found, 8),
    (Doing::Join, 32),
    (Doing::Invite, 18),
];

type Streams = Vec<(StreamId, u64, Subject, Vec<Event>)>;

impl Society {
    pub(crate) fn new(dice: Arc<Dice>, clock: Arc<StoryClock>) -> Self {
        let policy = Policy { members: 5_000, invitations: 5_000, ..Policy::default() };
        Self {
            dice,
            clock,
            people: Vec::new(),
            companies: Vec::new(),
            born: 0,
            founded: 0,
            policy: Arc::new(policy),
        }
    }

    /// The next change. Adds to `forgotten` whose keys are to be destroyed after it.
    pub(crate) fn next(&mut self, forgotten: &mut Vec<Subject>) -> Append {
        loop {
            self.clock.skip_micros(self.dice.next() % 20_000_000);
            let doing = if self.people.len() < 20 { Doing::SignUp } else { self.choose() };
            let who = self.dice.below(self.people.len());
            if let Some(append) = self.act(doing, who, forgotten) {
                return append;
            }
        }
    }

    fn choose(&self) -> Doing {
        let mut at = self.dice.below(HABITS.iter().map(|(_, often)| often).sum());
        for (doing, often) in HABITS {
            if at < often {
                return doing;
            }
            at -= often;
        }
        Doing::Refresh
    }

    fn act(&mut self, doing: Doing, who: usize, forgotten: &mut Vec<Subject>) -> Option<Append> {
        match doing {
            Doing::SignUp => Some(self.sign_up()),
            Doing::SignIn => self.sign_in(who),
            Doing::Refresh => {
                let signed_in = |who: &usize| self.people.get(*who).is_some_and(|p| !p.sessions.is_empty());
                let who = (0..4).map(|_| self.dice.below(self.people.len())).find(signed_in)?;
                self.refresh(who)
            }
            Doing::SignOut => self.sign_out(who),
            Doing::Profile => self.profile(who),
            Doing::Recover => self.recover(who),
            Doing::Fail => self.fail(who),
            Doing::Deny => {
                let operation = "POST /admin/users".to_owned();
                Some(self.attempt(AttemptEvent::AdminDenied { operation, reason: AdminRefusal::BadToken }))
            }
            Doing::Ban => self.ban(who),
            Doing::Erase => self.erase(who, forgotten),
            Doing::Found => self.found(who),
            Doing::Join => self.join(who),
            Doing::Invite => self.invite(who),
        }
    }

    fn append(&self, actor: Actor, from: Option<usize>, streams: Streams) -> Append {
        let person = from.and_then(|who| self.people.get(who));
        let ip = person.map_or([192, 0, 2, 7], |person| person.ip);
        let agent = person.map_or(AGENTS[3], |person| person.agent);
        Append {
            streams: streams
                .into_iter()
                .map(|(stream, expected, subject, events)| StreamAppend { stream, expected, subject, events })
                .collect(),
            guards: Vec::new(),
            messages: Vec::new(),
            provenance: Provenance {
                ip: Some(Personal::Known(ip.into())),
                user_agent: Some(Personal::Known(agent.to_owned())),
                client: Some("supabase-js-web/2.58.0".to_owned()),
                ..Provenance::internal(actor, Surface::Gotrue, self.dice.uuid())
            },
            occurred_at: self.clock.now(),
        }
    }

    /// A person decides; what comes of it, for the person's stream.
    fn tell(&mut self, who: usize, commands: Vec<UserCommand>) -> Option<Streams> {
        let person = self.people.get_mut(who)?;
        let expected = person.version;
        let (mut state, mut events) = (person.state.clone(), Vec::new());
        for command in commands {
            for event in state.decide(command).ok()? {
                state.fold(&event);
                events.push(Event::User(event));
            }
        }
        person.state = state;
        person.version += events.len() as u64;
        let stream = (StreamId::user(person.id), expected, Subject::User(person.id), events);
        (!stream.3.is_empty()).then(|| vec![stream])
    }

    fn tell_session(&mut self, who: usize, which: usize, command: SessionCommand) -> Option<Streams> {
        let person = self.people.get_mut(who)?;
        let (id, state, version) = person.sessions.get_mut(which)?;
        let decided = state.decide(command).ok().filter(|events| !events.is_empty())?;
        let expected = *version;
        for event in &decided {
            state.fold(event);
        }
        *version += decided.len() as u64;
        let events = decided.into_iter().map(Event::Session).collect();
        Some(vec![(StreamId::session(*id), expected, Subject::User(person.id), events)])
    }

    fn end_session(&mut self, who: usize, which: usize, reason: RevocationReason) -> Streams {
        let ended = self.tell_session(who, which, SessionCommand::Revoke { reason }).unwrap_or_default();
        if let Some(person) = self.people.get_mut(who).filter(|person| which < person.sessions.len()) {
            person.sessions.remove(which);
        }
        ended
    }

    fn end_all_sessions(&mut self, who: usize, reason: RevocationReason) -> Streams {
        let mut ended = Vec::new();
        while self.people.get(who).is_some_and(|person| !person.sessions.is_empty()) {
            ended.extend(self.end_session(who, 0, reason));
        }
        ended
    }

    fn sign_up(&mut self) -> Append {
        self.born += 1;
        let (id, now) = (UserId(self.dice.uuid()), self.clock.now());
        let given = self.dice.one_of(&GIVEN).copied().unwrap_or_default();
        let family = self.dice.one_of(&FAMILY).copied().unwrap_or_default();
        let address = format!("{}.{}@example.com", given.to_lowercase(), self.born);
        let data = Metadata::default().with("sub", id.to_string()).with("email", address.as_str());
        let command = SignUp {
            method: SignUpMethod::Password,
            aud: "authenticated".to_owned(),
            role: "authenticated".to_owned(),
            email: Email::parse(&address).ok().map(|email| (email, Confirmed::No)),
            phone: None,
            password: Some(self.password()),
            user_metadata: data.clone().with("full_name", format!("{given} {family}")),
            app_metadata: Metadata::default()
                .with("provider", "email")
                .with("providers", serde_json::json!(["email"])),
            identities: vec![IdentityData {
                id: IdentityId(self.dice.uuid()),
                provider: "email".to_owned(),
                provider_id: id.to_string(),
                data,
            }],
        };
        let ip = [10, 0, 0, 0].map(|byte: u8| byte.wrapping_add(self.dice.next().to_le_bytes()[0]));
        let agent = self.dice.one_of(&AGENTS).copied().unwrap_or_default();
        let person = Person {
            id,
            address,
            state: User::default(),
            version: 0,
            sessions: Vec::new(),
            belongs: false,
            ip,
            agent,
        };
        let who = if self.people.len() < PRESENT {
            self.people.push(person);
            self.people.len() - 1
        } else {
            let who = self.dice.below(PRESENT);
            self.people[who] = person;
            who
        };
        let issue = self.issue(TokenPurpose::EmailConfirmation, now);
        let commands = vec![UserCommand::SignUp(Box::new(command)), issue];
        let streams = self.tell(who, commands).unwrap_or_default();
        self.append(Actor::Visitor, Some(who), streams)
    }

    fn password(&self) -> PasswordHash {
        PasswordHash(format!("$argon2id$v=19$m=19456,t=2,p=1${:016x}${:043x}", self.dice.next(), self.born))
    }

    fn issue(&self, purpose: TokenPurpose, now: evident_domain::Time) -> UserCommand {
        UserCommand::IssueOneTimeToken {
            purpose,
            link: Some(TokenHash(format!("{:064x}", self.dice.next()))),
            code: TokenHash("code".to_owned()),
            flow: None,
            now,
            expires_at: now + TimeDelta::hours(1),
            min_interval_seconds: 0,
        }
    }

    fn sign_in(&mut self, who: usize) -> Option<Append> {
        let now = self.clock.now();
        let person = self.people.get(who)?;
        let account = person.state.account()?;
        if account.is_banned(now) {
            return None;
        }
        let id = person.id;
        let mut streams = Vec::new();
        if account.email.as_ref().is_some_and(|email| !email.confirmed) {
            let redeem = UserCommand::Redeem {
                purposes: vec![TokenPurpose::EmailConfirmation],
                proof: Proof::Code(TokenHash("code".to_owned())),
                password: UnprovenPassword::Stays,
                now,
            };
            match self.tell(who, vec![redeem]) {
                Some(confirmed) => streams.extend(confirmed),
                None => streams.extend(self.tell(who, vec![UserCommand::ConfirmEmail]).unwrap_or_default()),
            }
        } else {
            streams.push((StreamId::user(id), person.version, Subject::User(id), Vec::new()));
        }
        if self.people.get(who).is_some_and(|person| person.sessions.len() >= SESSIONS) {
            streams.extend(self.end_session(who, 0, RevocationReason::SignedOut));
        }
        let session = SessionId(self.dice.timed_uuid(now));
        self.people.get_mut(who)?.sessions.push((session, Session::default(), 0));
        let which = self.people.get(who)?.sessions.len() - 1;
        let start = Start {
            user: id,
            method: "password".to_owned(),
            not_after: None,
            slides: false,
            client: None,
            impersonator: None,
            now,
        };
        streams.extend(self.tell_session(who, which, SessionCommand::Start(start))?);
        Some(self.append(Actor::User { id }, Some(who), streams))
    }

    fn refresh(&mut self, who: usize) -> Option<Append> {
        let now = self.clock.now();
        let person = self.people.get(who)?;
        let (id, which) = (person.id, self.dice.below(person.sessions.len()));
        let (_, session, _) = person.sessions.get(which)?;
        let generation = session.live()?.generation;
        let policy = ReusePolicy { interval_seconds: 10, parent_always: true, revoke_on_reuse: true };
        let streams = self.tell_session(who, which, SessionCommand::Refresh { generation, now, policy })?;
        Some(self.append(Actor::User { id }, Some(who), streams))
    }

    fn sign_out(&mut self, who: usize) -> Option<Append> {
        let id = self.people.get(who)?.id;
        let streams = self.end_session(who, 0, RevocationReason::SignedOut);
        (!streams.is_empty()).then(|| self.append(Actor::User { id }, Some(who), streams))
    }

    fn profile(&mut self, who: usize) -> Option<Append> {
        let id = self.people.get(who)?.id;
        let theme = self.dice.one_of(&["dark", "light", "auto"])?;
        let patch = Metadata::default()
            .with("theme", *theme)
            .with("visits", i64::from(u16::try_from(self.dice.below(1_000)).ok()?));
        let streams = self.tell(who, vec![UserCommand::ChangeMetadata { patch }])?;
        Some(self.append(Actor::User { id }, Some(who), streams))
    }

    fn recover(&mut self, who: usize) -> Option<Append> {
        let now = self.clock.now();
        let commands = vec![
            self.issue(TokenPurpose::Recovery, now),
            UserCommand::Redeem {
                purposes: vec![TokenPurpose::Recovery],
                proof: Proof::Code(TokenHash("code".to_owned())),
                password: UnprovenPassword::Goes,
                now,
            },
            UserCommand::ChangePassword { password: self.password() },
        ];
        let mut streams = self.tell(who, commands)?;
        streams.extend(self.end_all_sessions(who, RevocationReason::PasswordChanged));
        Some(self.append(Actor::Visitor, Some(who), streams))
    }

    fn fail(&mut self, who: usize) -> Option<Append> {
        let known = self.dice.below(3) > 0;
        let person = self.people.get(who)?;
        let address = if known { person.address.clone() } else { format!("nobody.{who}@example.net") };
        let reason = if known { SignInRefusal::WrongPassword } else { SignInRefusal::UnknownAccount };
        Some(self.attempt(AttemptEvent::SignInFailed {
            account: TokenHash(format!("{:0>64}", address.replace(['@', '.'], "0"))),
            identifier: Personal::Known(address),
            user: None,
            reason,
            at: self.clock.now(),
        }))
    }

    fn attempt(&self, event: AttemptEvent) -> Append {
        let period = Subject::period_of(self.clock.now());
        let stream = StreamId::attempt(self.dice.uuid());
        self.append(Actor::Visitor, None, vec![(stream, 0, period, vec![Event::Attempt(event)])])
    }

    fn ban(&mut self, who: usize) -> Option<Append> {
        let now = self.clock.now();
        let banned = self.people.get(who)?.state.account()?.is_banned(now);
        let command = if banned {
            UserCommand::Unban
        } else {
            UserCommand::Ban { until: Some(now + TimeDelta::hours(24)), reason: Some("spam".to_owned()) }
        };
        let mut streams = self.tell(who, vec![command])?;
        streams.extend(self.end_all_sessions(who, RevocationReason::UserBanned));
        Some(self.append(Actor::Admin { role: "service_role".to_owned(), id: None }, None, streams))
    }

    fn erase(&mut self, who: usize, forgotten: &mut Vec<Subject>) -> Option<Append> {
        let person = self.people.get(who).filter(|person| !person.belongs)?;
        let subject = Subject::User(person.id);
        let mut streams = self.tell(who, vec![UserCommand::Erase])?;
        streams.extend(self.end_all_sessions(who, RevocationReason::UserDeleted));
        let append = self.append(Actor::Admin { role: "service_role".to_owned(), id: None }, None, streams);
        self.people.swap_remove(who);
        forgotten.push(subject);
        Some(append)
    }

    fn found(&mut self, who: usize) -> Option<Append> {
        let user = self.people.get(who).filter(|person| person.state.account().is_some())?.id;
        self.founded += 1;
        let company =
            Company { id: OrganizationId(self.dice.uuid()), state: Organization::default(), version: 0 };
        let at = if self.companies.len() < ACTIVE {
            self.companies.push(company);
            self.companies.len() - 1
        } else {
            let at = self.dice.below(ACTIVE);
            self.companies[at] = company;
            at
        };
        let create = Action::Create(Create {
            name: format!("Company {}", self.founded),
            slug: format!("company-{}", self.founded),
            logo: None,
            metadata: Some(Metadata::default().with("plan", "pro")),
            user,
            member: MemberId(self.dice.uuid()),
            team: None,
        });
        let streams = self.tell_company(at, user, create, None)?;
        self.people.get_mut(who)?.belongs = true;
        Some(self.append(Actor::User { id: user }, Some(who), streams))
    }

    fn join(&mut self, who: usize) -> Option<Append> {
        let user = self.people.get(who).filter(|person| person.state.account().is_some())?.id;
        let at = self.dice.below(self.companies.len());
        let roles = Roles::parse(["member"]).ok()?;
        let add = Action::AddMember { member: MemberId(self.dice.uuid()), user, roles };
        let streams = self.tell_company(at, user, add, None)?;
        self.people.get_mut(who)?.belongs = true;
        Some(self.append(Actor::Admin { role: "service_role".to_owned(), id: None }, None, streams))
    }

    fn invite(&mut self, who: usize) -> Option<Append> {
        let now = self.clock.now();
        let person = self.people.get_mut(who).filter(|person| person.state.account().is_some())?;
        person.belongs = true;
        let (user, email) = (person.id, Email::parse(&person.address).ok()?);
        let at = self.dice.below(self.companies.len());
        let invite = Action::Invite(Invite {
            invitation: InvitationId(self.dice.uuid()),
            email,
            owner: Some(user),
            roles: Roles::parse(["member"]).ok()?,
            teams: Vec::new(),
            resend: false,
            now,
            expires_at: now + TimeDelta::days(7),
        });
        let streams = self.tell_company(at, user, invite, Some(user))?;
        Some(self.append(Actor::Admin { role: "service_role".to_owned(), id: None }, None, streams))
    }

    fn tell_company(
        &mut self,
        at: usize,
        user: UserId,
        action: Action,
        sealed_for: Option<UserId>,
    ) -> Option<Streams> {
        let company = self.companies.get_mut(at)?;
        let by = if company.version == 0 { By::User(user) } else { By::Server };
        let command = OrganizationCommand { by, policy: self.policy.clone(), action };
        let decided = company.state.decide(command).ok().filter(|events| !events.is_empty())?;
        let expected = company.version;
        for event in &decided {
            company.state.fold(event);
        }
        company.version += decided.len() as u64;
        let subject = sealed_for.map_or(Subject::Organization(company.id), Subject::User);
        let events = decided.into_iter().map(Event::Organization).collect();
        Some(vec![(StreamId::organization(company.id), expected, subject, events)])
    }
}
