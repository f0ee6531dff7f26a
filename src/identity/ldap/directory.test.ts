import { createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../../base/simulated-clock.ts'
import { hourMs, minuteMs } from '../../../base/units.ts'
import { Attempts } from '../attempts.ts'
import { filterOf, LdapError, normalDn, signInByLdap, tlsOptionsOf, type LdapDirectory } from './directory.ts'

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

/** A directory that agrees to StartTLS (RFC 4511 §4.14) and does `then` instead; what it was told, by connection. */
async function agreeing(then: (socket: Socket) => void): Promise<{ readonly url: string; readonly heard: string[]; close(): Promise<unknown> }> {
  const heard: string[] = []
  const success = Buffer.from('300c02010178070a010004000400', 'hex')
  const server = createServer(socket => {
    const index = heard.push('') - 1
    socket.on('error', () => {})
    socket.on('data', bytes => {
      heard[index] += bytes.toString('latin1')
      if (index === 0 && heard[index] === bytes.toString('latin1')) socket.write(success, () => then(socket))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `ldap://127.0.0.1:${port}`, heard, close: () => new Promise(resolve => server.close(resolve)) }
}

describe('StartTLS', () => {
  it.each<readonly [string, (socket: Socket) => void]>([
    ['cuts the connection', socket => socket.destroy()],
    ['ends it', socket => socket.end()],
    ['goes on in plain text', socket => socket.write(Buffer.from('300c02010261070a010004000400', 'hex'))],
  ])('says no password to a directory that agrees to it and %s', async (_what, then) => {
    const fake = await agreeing(then)
    try {
      await expect(signInByLdap({ ...directory, url: fake.url, startTls: true }, 'ada', 'the-password')).rejects.toMatchObject({ code: 'Unavailable' })
      expect(fake.heard.length).toBe(1)
      expect(fake.heard.join()).not.toMatch(/lookup|password/)
    } finally {
      await fake.close()
    }
  })

  it('wants the certificate of the host that is asked', () => {
    expect(tlsOptionsOf('ldap://ldap.example.org:389')).toEqual({ host: 'ldap.example.org', servername: 'ldap.example.org' })
    expect(tlsOptionsOf('ldap://[::1]')).toEqual({ host: '::1' })
    expect(tlsOptionsOf('ldap://192.0.2.1')).toEqual({ host: '192.0.2.1' })
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
