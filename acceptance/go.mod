module github.com/aftershock-dev/aftershock/acceptance

go 1.26.0

require github.com/piusalfred/whatsapp v0.1.12
