//! What is tried with OAuth clients and consents, among everything else.

use evident_domain::client::{Client, ClientCommand, ClientDetails, ClientDraft, ClientEvent, Registration};
use evident_domain::consent::{Consent, ConsentCommand};
use evident_domain::ports::{Clock as _, Entropy as _};
use evident_domain::user::User;
use evident_domain::{Actor, ClientId, ConsentId, Event, Root as _, Scopes, StreamId, TokenHash, UserId};
use proptest::prelude::*;

use crate::same_rows::Cast;

/// Something that somebody tries; numbers choose among few, so that things meet.
#[derive(Debug, Clone)]
pub(crate) enum OAuthTry {
    Register,
    ChangeClient { client: u8, how: u8 },
    Consent { client: u8, scopes: &'static str },
    Withdraw { client: u8 },
}

pub(crate) fn oauth_try() -> impl Strategy<Value = OAuthTry> {
    prop_oneof![
        2 => Just(OAuthTry::Register),
        2 => (any::<u8>(), 0..3_u8).prop_map(|(client, how)| OAuthTry::ChangeClient { client, how }),
        3 => (any::<u8>(), prop::sample::select(vec!["email", "openid profile", "phone email"]))
            .prop_map(|(client, scopes)| OAuthTry::Consent { client, scopes }),
        1 => any::<u8>().prop_map(|client| OAuthTry::Withdraw { client }),
    ]
}

fn hash(text: &str) -> TokenHash {
    TokenHash(text.to_owned())
}

impl Cast<'_> {
    pub(crate) async fn try_oauth(&mut self, id: UserId, user: &User, what: OAuthTry) {
        let world = self.world;
        let now = world.clock.now();
        match what {
            OAuthTry::Register => {
                let client = ClientId(world.entropy.uuid());
                let draft = ClientDraft {
                    name: Some("Photo\0 Book".to_owned()),
                    redirect_uris: Some(vec!["https://photos.example.com/cb".to_owned()]),
                    ..ClientDraft::default()
                };
                let events = vec![Event::Client(ClientEvent::Registered {
                    registration: Registration::Dynamic,
                    details: ClientDetails::new(draft).unwrap(),
                    secret: Some(hash("secret")),
                    registered_at: now,
                })];
                self.append(id, Actor::Visitor, vec![(StreamId::client(client), 0, events)]).await;
                self.clients.push(client);
            }
            OAuthTry::ChangeClient { client, how } => {
                let Some(client) = self.client(client) else { return };
                let (state, version) = self.oauth_client(client).await;
                let command = match how {
                    0 => ClientCommand::Delete,
                    1 => ClientCommand::RegenerateSecret { secret: hash("another"), now },
                    _ => ClientCommand::Update {
                        draft: ClientDraft {
                            name: Some(format!("Book {version}")),
                            ..ClientDraft::default()
                        },
                        now,
                    },
                };
                let Ok(events) = state.decide(command) else { return };
                let events = events.into_iter().map(Event::Client).collect();
                self.append(id, Actor::Visitor, vec![(StreamId::client(client), version, events)]).await;
            }
            OAuthTry::Consent { client, scopes } => {
                let Some(client) = self.client(client).filter(|_| user.account().is_some()) else { return };
                let scopes = Scopes::parse(scopes).unwrap();
                self.consent(id, client, ConsentCommand::Give { user: id, client, scopes, now }).await;
            }
            OAuthTry::Withdraw { client } => {
                let Some(client) = self.client(client) else { return };
                self.consent(id, client, ConsentCommand::Revoke).await;
            }
        }
    }

    pub(crate) fn client(&self, n: u8) -> Option<ClientId> {
        self.clients.get(usize::from(n) % self.clients.len().max(1)).copied()
    }

    async fn oauth_client(&self, id: ClientId) -> (Client, u64) {
        let events = self.world.store.load(StreamId::client(id)).await.unwrap();
        let mut client = Client::default();
        for recorded in &events {
            client.fold(Client::own(&recorded.event).unwrap());
        }
        (client, events.len() as u64)
    }

    async fn consent(&self, user: UserId, client: ClientId, command: ConsentCommand) {
        let stream = StreamId::consent(ConsentId::of(user, client));
        let events = self.world.store.load(stream).await.unwrap();
        let mut consent = Consent::default();
        for recorded in &events {
            consent.fold(Consent::own(&recorded.event).unwrap());
        }
        let Ok(decided) = consent.decide(command) else { return };
        let decided = decided.into_iter().map(Event::Consent).collect();
        self.append(user, Actor::User { id: user }, vec![(stream, events.len() as u64, decided)]).await;
    }
}
