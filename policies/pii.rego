# Personal data may not leave the EU in a model call.
package trailmix

deny contains "PII cannot exit EU" if {
	input.action == "llm_call"
	input.context.region == "EU"
	input.payload.contains_pii == true
}
