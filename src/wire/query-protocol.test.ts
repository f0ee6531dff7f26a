import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { iamModel, queryOperation, stsModel } from './query-operations.ts'
import { QueryError, queryErrorCodes } from './query-error.ts'
import { parseForm, readQuery } from './read-query.ts'
import { parseXml } from './parse-xml.ts'
import { writeQuery, writeQueryError } from './write-query.ts'

const read = (name: string, text: string): object => readQuery(queryOperation(iamModel, name), parseForm(`Action=${name}&Version=2010-05-08&${text}`))

describe('docs/errors.md', () => {
  it('has a line for every code of IAM and STS, with its status, and for no other', () => {
    const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
    const section = page.split('\n## ').find(text => text.startsWith('IAM and STS\n')) ?? ''
    const documented = [...section.matchAll(/^\| `(\w+)` \| (\d{3}) \| \S/gm)].map(([, code, status]) => [code, Number(status)])
    expect(documented.toSorted()).toEqual(Object.entries(queryErrorCodes).map(entry => [...entry]).toSorted())
  })
})

describe('requests', () => {
  it('are read by their schema: scalars, lists, structures', () => {
    expect(read('CreateUser', 'UserName=a&Tags.member.1.Key=k&Tags.member.1.Value=v&Tags.member.2.Key=l&Tags.member.2.Value=')).toEqual({
      UserName: 'a', Tags: [{ Key: 'k', Value: 'v' }, { Key: 'l', Value: '' }],
    })
    expect(read('ListUsers', 'MaxItems=5')).toEqual({ MaxItems: 5 })
    expect(read('CreatePolicyVersion', 'PolicyArn=a&PolicyDocument=%7B%7D&SetAsDefault=true')).toEqual({ PolicyArn: 'a', PolicyDocument: '{}', SetAsDefault: true })
    expect(read('UntagUser', 'UserName=a&TagKeys=')).toEqual({ UserName: 'a', TagKeys: [] })
  })

  it.each([
    ['CreateUser', ''], ['CreateUser', 'UserName=a&Other=b'], ['CreateUser', 'UserName=a&Tags.member.2.Key=k&Tags.member.2.Value=v'], ['CreateUser', 'UserName=a&Tags.member.1.Key=k'],
    ['ListUsers', 'MaxItems=five'], ['ListUsers', 'MaxItems=1e3'], ['CreateUser', 'UserName=a&UserName.1=b'], ['CreateUser', 'UserName=a&__proto__.x=b'], ['CreateUser', 'username=a'],
  ])('of %s with %j are refused', (name, text) => {
    expect(() => read(name, text)).toThrow(QueryError)
  })

  it('that give a parameter twice, or too many, are refused', () => {
    expect(() => parseForm('a=1&a=2')).toThrow(QueryError)
    expect(() => parseForm(Array.from({ length: 3000 }, (_, index) => `p${index}=`).join('&'))).toThrow(QueryError)
  })

  it('of MinIO’s operations and without a role are read too', () => {
    const form = (text: string) => parseForm(`Version=2011-06-15&${text}`)
    expect(readQuery(queryOperation(stsModel, 'AssumeRoleWithLDAPIdentity'), form('LDAPUsername=a&LDAPPassword=b&DurationSeconds=900'))).toEqual({ LDAPUsername: 'a', LDAPPassword: 'b', DurationSeconds: 900 })
    expect(readQuery(queryOperation(stsModel, 'AssumeRole'), form('DurationSeconds=900'))).toEqual({ DurationSeconds: 900 })
  })
})

describe('answers', () => {
  it('are in the service’s namespace, with or without a result', () => {
    const user = { User: { UserName: 'a<b', Path: '/', UserId: 'AIDA', Arn: 'arn', CreateDate: new Date(0) } }
    const made = parseXml(Buffer.from(writeQuery(iamModel, queryOperation(iamModel, 'CreateUser'), user, 'R1')))
    expect(made.attributes['xmlns']).toBe('https://iam.amazonaws.com/doc/2010-05-08/')
    expect(made.children.map(({ name }) => name)).toEqual(['CreateUserResult', 'ResponseMetadata'])
    expect(parseXml(Buffer.from(writeQuery(iamModel, queryOperation(iamModel, 'DeleteUser'), {}, 'R1'))).children.map(({ name }) => name)).toEqual(['ResponseMetadata'])
  })

  it('of errors name the sender’s fault', () => {
    const xml = writeQueryError('urn:x', new QueryError('NoSuchEntity', 'a & b'), 'R1')
    expect(xml).toContain('<Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>a &amp; b</Message></Error><RequestId>R1</RequestId>')
  })
})
