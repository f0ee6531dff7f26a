# As MinIO's documentation has it, with a grant by data and one by a claim of the catalog's.
package moraine.authz

default allow := false

allow if input.owner

allow if {
	input.account == "reader"
	input.action in {"s3:GetObject", "s3:ListBucket"}
	input.bucket == "shared"
	startswith(input.object, "public/")
}

allow if {
	input.action == "s3:ListBucket"
	input.account == "reader"
	some prefix in input.conditions.prefix
	startswith(prefix, "public/")
}

allow if {
	some grant in data.grants[input.account]
	grant == input.action
}
