import { describe, expect, it } from 'vitest'
import { runPolicySimulate, simulatePolicy, SimulationError } from './policy-simulate.ts'

const files: Readonly<Record<string, string>> = {
  'own.json': JSON.stringify({ Version: '2012-10-17', Statement: [
    { Sid: 'Home', Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/home/${aws:username}/*' },
    { Sid: 'Far', Effect: 'Deny', Action: 's3:*', Resource: '*', Condition: { NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } },
  ] }),
  'bucket.json': JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/public/*' } }),
  'none.json': JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 'iam:GetUser', Resource: '*' } }),
  'broken.json': '{"Version": "2012-10-17",\n "Statement": {"Effect": "Maybe"}}',
}
const options = {
  nowMs: 0,
  readFile: (path: string) => {
    const text = files[path]
    if (text === undefined) throw new Error('no such file')
    return text
  },
}
const bob = ['--principal', 'arn:aws:iam::111122223333:user/bob', '--policy', 'own.json', '--action', 's3:GetObject']
const near = ['--context', 'aws:SourceIp=10.1.1.1']

function text(argv: readonly string[]): readonly [number, string] {
  let written = ''
  const code = runPolicySimulate(argv, options, more => (written += more))
  return [code, written]
}

describe('moraine policy simulate', () => {
  it('says which statement allows', () => {
    expect(text([...bob, ...near, '--resource', 'arn:aws:s3:::b/home/bob/x'])).toEqual([0, [
      'Allowed: own.json, statement 1 (Home), allows it',
      '  Allow of the caller’s own policies: own.json, statement 1 (Home): applies',
      '  Deny of the caller’s own policies: own.json, statement 2 (Far): NotIpAddress aws:SourceIp wants 10.0.0.0/8, and the request has 10.1.1.1',
      '',
    ].join('\n')])
  })

  it('says which statement denies, and why others are not about it', () => {
    const [code, written] = text([...bob, '--context', 'aws:SourceIp=8.8.8.8', '--resource', 'arn:aws:s3:::b/home/eve/x'])
    expect(code).toBe(2)
    expect(written).toContain('Denied: own.json, statement 2 (Far), denies it')
    expect(written).toContain('own.json, statement 1 (Home): is about another resource')
  })

  it('says what is missing, also of limits', () => {
    expect(text([...bob, ...near, '--resource', 'arn:aws:s3:::b/x'])[1]).toContain('Denied: nothing in the caller’s own policies allows it')
    expect(text([...bob, ...near, '--limit', 'none.json', '--resource', 'arn:aws:s3:::b/home/bob/x'])[1]).toContain('Denied: nothing in a limit of the credentials allows it')
    expect(text([...bob, ...near, '--boundary', 'none.json', '--resource', 'arn:aws:s3:::b/home/bob/x'])[1]).toContain('nothing in the permission boundary')
    expect(text([...bob, ...near, '--session', 'none.json', '--resource', 'arn:aws:s3:::b/home/bob/x'])[1]).toContain('nothing in the session policy')
  })

  it('takes requests without a signature, and prints JSON', () => {
    const [code, written] = text(['--resource-policy', 'bucket.json', '--resource-account', '111122223333', '--action', 's3:GetObject', '--resource', 'arn:aws:s3:::b/public/x', '--json'])
    expect([code, JSON.parse(written)]).toMatchObject([0, { decision: 'allow', because: { kind: 'statement', source: 'resource', policy: 'bucket.json', index: 0 } }])
  })

  it.each([
    ['an unknown option', ['--colour', 'red'], '--colour is not an option'],
    ['no action', ['--resource', '*'], 'needs --action'],
    ['a value that is missing', ['--action'], '--action takes a value'],
    ['a broken document', [...bob, '--policy', 'broken.json', '--resource', '*'], 'broken.json: Invalid effect: Maybe (line 2, column 26)'],
    ['a file that is not there', [...bob, '--policy', 'lost.json', '--resource', '*'], 'lost.json: it cannot be read'],
    ['a principal that is none', ['--principal', 'bob', '--action', 'a:b', '--resource', '*'], '--principal takes the ARN'],
    ['a context that is none', [...bob, '--context', 'x', '--resource', '*'], '--context takes KEY=VALUE'],
  ])('refuses %s', (_name, argv, message) => {
    expect(() => simulatePolicy(argv, options)).toThrow(SimulationError)
    expect(() => simulatePolicy(argv, options)).toThrow(message)
  })
})
