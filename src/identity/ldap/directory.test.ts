import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../../base/simulated-clock.ts'
import { hourMs, minuteMs } from '../../../base/units.ts'
import { Attempts } from '../attempts.ts'
import { filterOf, LdapError, normalDn, signInByLdap, type LdapDirectory } from './directory.ts'

const directory: LdapDirectory = {
  url: 'ldap://127.0.0.1:1', startTls: false, bindDn: 'cn=lookup', bindPassword: 'lookup-password', userBase: 'ou=people', userFilter: '(uid=%s)', policies: {},
}

describe('filters', () => {
  it.each([
    ['ada', '(uid=ada)'],
    ['*', '(uid=\\2a)'],
    ['*)(uid=*', '(uid=\\2a\\29\\28uid=\\2a)'],
    ['a)(|(uid=*))', '(uid=a\\29\\28|\\28uid=\\2a\\29\\29)'],
    ['a\\2a', '(uid=a\\5c2a)'],
    ['a\0b', '(uid=a\\00b)'],
    ['é', '(uid=\\c3\\a9)'],
    ['%d', '(uid=%d)'],
  ])('of the name %j are %s', (name, filter) => {
    expect(filterOf('(uid=%s)', { s: name, d: 'cn=secret' })).toBe(filter)
  })
})

describe('signing in', () => {
  it.each([['ada', ''], ['', 'password'], ['a'.repeat(300), 'password']])('as %j with %j is refused without a word to the directory', async (name, password) => {
    await expect(signInByLdap(directory, name, password)).rejects.toMatchObject({ code: 'Refused' })
  })

  it('fails closed, and quietly, when nobody answers', async () => {
    const error = await signInByLdap(directory, 'ada', 'the-password').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(LdapError)
    expect(error).toMatchObject({ code: 'Unavailable' })
    expect(JSON.stringify([String(error), String((error as Error).cause)])).not.toMatch(/the-password|lookup-password/)
  })
})

it('compares names as directories do', () => {
  expect(normalDn('CN=Ada , OU=People,  DC=example')).toBe('cn=ada,ou=people,dc=example')
})

describe('attempts', () => {
  it('lock a name after five wrong passwords, longer each time, and forget it after a right one', () => {
    const clock = new SimulatedClock()
    const attempts = new Attempts(clock)
    for (let failure = 0; failure < 4; failure++) attempts.failed('ada')
    expect(attempts.isLocked('ada')).toBe(false)
    attempts.failed('ADA')
    expect(attempts.isLocked('Ada')).toBe(true)
    expect(attempts.isLocked('bob')).toBe(false)
    clock.advance(minuteMs)
    expect(attempts.isLocked('ada')).toBe(false)
    attempts.failed('ada')
    clock.advance(minuteMs)
    expect(attempts.isLocked('ada')).toBe(true)
    clock.advance(hourMs)
    expect(attempts.isLocked('ada')).toBe(false)
    for (let failure = 0; failure < 5; failure++) attempts.failed('eve')
    attempts.succeeded('eve')
    expect(attempts.isLocked('eve')).toBe(false)
  })
})
