-- Identity providers of organizations (SAML), as administrators describe them.
create table sso_providers (
    id                text collate "C" not null primary key,
    resource_id       text collate "C",
    disabled          boolean,
    entity_id         text collate "C" not null,
    metadata_xml      text collate "C" not null,
    metadata_url      text collate "C",
    attribute_mapping json    not null,
    name_id_format    text collate "C",
    domains           json    not null,  -- a list of texts
    created_at        bigint  not null,
    updated_at        bigint  not null
);
create index sso_providers_by_resource on sso_providers (resource_id);
