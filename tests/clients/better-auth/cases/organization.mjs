// Organizations, their members, and who is to become one.

import assert from 'node:assert/strict'
import { again, good, person, refused, verified, word } from '../support.mjs'

const founded = async (name) => {
  const one = await person(name)
  const slug = word(name.toLowerCase())
  const organization = good(await one.auth.organization.create({ name: `${name} & Co`, slug, metadata: { size: 1 } }))
  return { ...one, slug, organization }
}

// Somebody joins: invited, and accepting.
const joined = async (owner, name, role = 'member') => {
  const one = await person(name)
  const { id } = good(await owner.auth.organization.inviteMember({ email: one.email, role, organizationId: owner.organization.id }))
  await verified(one)
  const { member } = good(await one.auth.organization.acceptInvitation({ invitationId: id }))
  return { ...one, member }
}

export default {
  'is founded, changed, and ended': async () => {
    const { auth, organization, slug, user } = await founded('Ann')
    assert.deepEqual([organization.slug, organization.metadata, organization.members[0].role], [slug, { size: 1 }, 'owner'])
    assert.equal(organization.members[0].userId, user.id)
    refused(await auth.organization.checkSlug({ slug }), 400, 'ORGANIZATION_SLUG_ALREADY_TAKEN')
    assert.deepEqual(good(await auth.organization.checkSlug({ slug: word('free') })), { status: true })
    refused(await auth.organization.create({ name: 'Again', slug }), 400, 'ORGANIZATION_ALREADY_EXISTS')
    const data = { name: 'Another name' }
    assert.equal(good(await auth.organization.update({ organizationId: organization.id, data })).name, data.name)
    assert.deepEqual(good(await auth.organization.list()).map(({ id }) => id), [organization.id])
    const full = good(await auth.organization.getFullOrganization({ query: { organizationId: organization.id } }))
    assert.deepEqual([full.name, full.members.length, full.invitations], [data.name, 1, []])
    assert.equal(full.members[0].user.id, user.id)
    const short = good(await auth.organization.getOrganization({ query: { organizationSlug: slug } }))
    assert.deepEqual([short.id, short.members], [organization.id, undefined])
    assert.deepEqual(good(await auth.organization.getActiveMemberRole()), { role: 'owner' })
    good(await auth.organization.delete({ organizationId: organization.id }))
    assert.deepEqual(good(await auth.organization.list()), [])
  },

  'is the one that a session works for': async () => {
    const { auth, organization } = await founded('Bea')
    const active = async () => good(await auth.getSession({ query: { disableCookieCache: true } })).session.activeOrganizationId
    assert.equal(await active(), organization.id)
    assert.equal(good(await auth.organization.getActiveMember()).role, 'owner')
    good(await auth.organization.setActive({ organizationId: null }))
    assert.equal(await active(), null)
    refused(await auth.organization.getActiveMember(), 400, 'NO_ACTIVE_ORGANIZATION')
    assert.equal(good(await auth.organization.setActive({ organizationId: organization.id })).id, organization.id)
    assert.equal(await active(), organization.id)
    const permissions = { organization: ['delete'] }
    assert.equal(good(await auth.organization.hasPermission({ permissions })).success, true)
  },

  'invites, and only the invited may say yes': async () => {
    const owner = await founded('Cy')
    const one = await person('Dot')
    const invite = { email: one.email, role: 'member', organizationId: owner.organization.id }
    const invitation = good(await owner.auth.organization.inviteMember(invite))
    assert.deepEqual([invitation.email, invitation.role, invitation.status], [one.email, 'member', 'pending'])
    refused(await owner.auth.organization.inviteMember(invite), 400, 'USER_IS_ALREADY_INVITED_TO_THIS_ORGANIZATION')
    const other = await person('Mal')
    const stolen = await other.auth.organization.acceptInvitation({ invitationId: invitation.id })
    refused(stolen, 403, 'YOU_ARE_NOT_THE_RECIPIENT_OF_THE_INVITATION')
    await verified(one)
    const shown = good(await one.auth.organization.getInvitation({ query: { id: invitation.id } }))
    assert.deepEqual([shown.organizationSlug, shown.inviterEmail], [owner.slug, owner.email])
    const mine = good(await one.auth.organization.listUserInvitations())
    assert.deepEqual(mine.map(({ id }) => id), [invitation.id])
    const { member } = good(await one.auth.organization.acceptInvitation({ invitationId: invitation.id }))
    assert.deepEqual([member.userId, member.role], [one.user.id, 'member'])
    const twice = await one.auth.organization.acceptInvitation({ invitationId: invitation.id })
    refused(twice, 400, 'INVITATION_NOT_FOUND')
    const listed = good(await owner.auth.organization.listInvitations({ query: { organizationId: owner.organization.id } }))
    assert.deepEqual(listed.map(({ status }) => status), ['accepted'])
  },

  'takes an invitation back, or a no': async () => {
    const owner = await founded('Eve')
    const [one, two] = [await person('Flo'), await person('Gil')]
    const invite = async ({ email }) =>
      good(await owner.auth.organization.inviteMember({ email, role: 'member', organizationId: owner.organization.id })).id
    const [first, second] = [await invite(one), await invite(two)]
    assert.equal(good(await owner.auth.organization.cancelInvitation({ invitationId: first })).status, 'canceled')
    await verified(one)
    refused(await one.auth.organization.acceptInvitation({ invitationId: first }), 400, 'INVITATION_NOT_FOUND')
    await verified(two)
    assert.equal(good(await two.auth.organization.rejectInvitation({ invitationId: second })).invitation.status, 'rejected')
  },

  'gives and takes roles, lets people go, and keeps an owner': async () => {
    const owner = await founded('Hal')
    const [one, two] = [await joined(owner, 'Ida'), await joined(owner, 'Jim')]
    const organizationId = owner.organization.id
    const raised = await owner.auth.organization.updateMemberRole({ memberId: one.member.id, role: 'admin', organizationId })
    assert.equal(good(raised).role, 'admin')
    const bold = await two.auth.organization.updateMemberRole({ memberId: one.member.id, role: 'member', organizationId })
    refused(bold, 403, 'YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_MEMBER')
    const { members, total } = good(await owner.auth.organization.listMembers({ query: { organizationId } }))
    assert.deepEqual([total, members.length], [3, 3])
    good(await one.auth.organization.removeMember({ memberIdOrEmail: two.email, organizationId }))
    refused(await two.auth.organization.leave({ organizationId }), 400, 'MEMBER_NOT_FOUND')
    good(await one.auth.organization.leave({ organizationId }))
    const last = await owner.auth.organization.leave({ organizationId })
    refused(last, 400, 'YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER')
  },

  'is closed to others': async () => {
    const [owner, other] = [await founded('Kim'), await person('Mal')]
    const organizationId = owner.organization.id
    const data = { name: 'Mine' }
    const changed = await other.auth.organization.update({ organizationId, data })
    refused(changed, 400, 'USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION')
    const seen = await other.auth.organization.getFullOrganization({ query: { organizationId } })
    refused(seen, 403, 'USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION')
    assert.equal((await again(owner)).user.id, owner.user.id)
  },
}
