// Teams, and roles of an organization's own.

import assert from 'node:assert/strict'
import { good, person, refused, word } from '../support.mjs'

export default {
  'has teams': async () => {
    const { auth, user } = await person('Ann')
    const { id: organizationId } = good(await auth.organization.create({ name: 'Ann & Co', slug: word('ann') }))
    const team = good(await auth.organization.createTeam({ name: 'Builders', organizationId }))
    assert.deepEqual([team.name, team.organizationId], ['Builders', organizationId])
    const names = async () => good(await auth.organization.listTeams()).map(({ name }) => name).sort()
    assert.ok((await names()).includes('Builders'))
    assert.equal(good(await auth.organization.updateTeam({ teamId: team.id, data: { name: 'Makers' } })).name, 'Makers')
    good(await auth.organization.addTeamMember({ teamId: team.id, userId: user.id }))
    assert.equal(good(await auth.organization.setActiveTeam({ teamId: team.id })).id, team.id)
    assert.deepEqual(good(await auth.organization.listTeamMembers({ query: { teamId: team.id } })).map(({ userId }) => userId), [user.id])
    assert.ok(good(await auth.organization.listUserTeams()).some(({ id }) => id === team.id))
    good(await auth.organization.removeTeamMember({ teamId: team.id, userId: user.id }))
    good(await auth.organization.setActiveTeam({ teamId: null }))
    good(await auth.organization.removeTeam({ teamId: team.id, organizationId }))
    assert.ok(!(await names()).includes('Makers'))
  },

  'has roles of its own': async () => {
    const { auth } = await person('Bea')
    const { id: organizationId } = good(await auth.organization.create({ name: 'Bea & Co', slug: word('bea') }))
    const permission = { member: ['create'], invitation: ['create'] }
    const { roleData } = good(await auth.organization.createRole({ role: 'recruiter', permission, organizationId }))
    assert.equal(roleData.role, 'recruiter')
    assert.deepEqual(good(await auth.organization.listRoles({ query: { organizationId } })).map(({ role }) => role), ['recruiter'])
    const query = { roleName: 'recruiter', organizationId }
    assert.deepEqual(good(await auth.organization.getRole({ query })).permission, permission)
    const data = { permission: { member: ['create'] } }
    good(await auth.organization.updateRole({ roleName: 'recruiter', organizationId, data }))
    assert.deepEqual(good(await auth.organization.getRole({ query })).permission, data.permission)
    refused(await auth.organization.createRole({ role: 'recruiter', permission, organizationId }), 400, 'ROLE_NAME_IS_ALREADY_TAKEN')
    assert.equal(good(await auth.organization.deleteRole({ roleName: 'recruiter', organizationId })).success, true)
  },
}
