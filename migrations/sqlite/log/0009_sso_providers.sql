-- Identity providers of organizations (SAML), as administrators describe them.
create table sso_providers (
    id                text    not null primary key,
    resource_id       text,
    disabled          integer,
    entity_id         text    not null,
    metadata_xml      text    not null,
    metadata_url      text,
    attribute_mapping text    not null,  -- JSON
    name_id_format    text,
    domains           text    not null,  -- JSON: a list of texts
    created_at        integer not null,
    updated_at        integer not null
) strict;
create index sso_providers_by_resource on sso_providers (resource_id);
