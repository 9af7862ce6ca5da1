.PHONY: ci test start
ci test:
	npm run -s ci
start:
	npm start
