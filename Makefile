# pagehook: a Facebook Messenger webhook for FastCGI and CGI.
#
#   make            build/pagehook.fcgi (the front) and build/pagehook (helper and command)
#   make run        install what is missing, build, start it all on loopback, show a round trip
#   make check      unit tests and tests against real servers; T=name runs what bears that name
#   make asan       the same, built with AddressSanitizer and UndefinedBehaviorSanitizer
#   make soak       kills, floods and seeds, for hours; SOAK_SECONDS=3600 for each part
#   make bench      how fast, beside what else there is; make bench-quick in a minute or two
#   make fuzz       what reads bodies and replies, under clang's fuzzer; FUZZ_SECONDS=300 for each target
#   make lint       both compilers with warnings as errors, cppcheck, clang-tidy, man pages
#   make install    DESTDIR and PREFIX honoured; enables nothing
#   make deps       install Debian's packages; without root or sudo, print the line to type
#   make clean
#
# V=1 shows each command.

MAKEFLAGS	+= --warn-undefined-variables --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

VERSION		:= 0.1.0
PREFIX		?= /usr
DESTDIR		?=
SYSCONFDIR	?= /etc
ifeq ($(origin CC),default)
CC		:= gcc
endif
CFLAGS		?= -O2 -g
CPPFLAGS	?=
LDFLAGS		?=
T		?=
DEPS		?= yes
KEEP		?=
V		?=
Q		:= $(if $(V),,@)

WARN	:= -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual -Wstrict-prototypes \
	   -Wmissing-prototypes -Wwrite-strings -Wvla -Wformat=2 -Wundef
HARDEN	:= -fstack-protector-strong -D_FORTIFY_SOURCE=2
LANG_C	:= -std=c11 -D_GNU_SOURCE -Ilib -pthread -fPIE \
	   -DPH_VERSION='"$(VERSION)"' -DPH_BINDIR='"$(PREFIX)/bin"'

# The layers, lowest first: a module includes only what stands before it (tests/house.t looks).
#   BASE   what everybody may use
#   PURE   bytes and values in, values out: opens nothing, so the fuzzers link it
#   DOORS  each touches one thing outside: a file, a library, a process, a socket; the last know several
#   FLOW   decides, within the helper's turn
BASE	:= error buffer clock utf8 log flaw
PURE	:= hex query signature json scan guess strict raw match template hours event key message \
	   bounds answer rule view say reading rule_fits rule_says rule_offers rule_does entry replies \
	   outcome pace unsure backoff words fresh
DOORS	:= layer conf state wire wire_helper spool ballast refused sample news \
	   store holder sqlite_page sqlite_wal sqlite_error sqlite \
	   store_sqlite store_sqlite_key store_sqlite_event store_sqlite_reply store_sqlite_prune store_sqlite_forget \
	   glance glance_count timeline status graph \
	   program handler_log process place places exec coproc_line coproc handler alert pages survey
FLOW	:= intake think ledger disk upkeep sending asked waiting delivery order lookout turn
LIB	:= $(BASE) $(PURE) $(DOORS) $(FLOW)

# Each program names its own libraries: what the front does not link it cannot call.
FRONT		:= cgi/main cgi/front cgi/mount cgi/request cgi/start
FRONT_LIBS	:= -lfcgi -lcrypto
COMMAND		:= cgi/pagehook cgi/helper cgi/input cgi/parse cgi/sign cgi/try cgi/chat cgi/replies \
		   cgi/send cgi/queue cgi/queue_list cgi/queue_show cgi/queue_steer cgi/orders cgi/forget cgi/status \
		   cgi/owner cgi/ask cgi/start
COMMAND_LIBS	:= -ljson-c -lcurl -lsqlite3 -lpcre2-8 -lcrypto
GRAPH		:= $(patsubst %.c,%,$(wildcard tests/graph/*.c))
EXAMPLES	:= $(patsubst cgi/examples/%.c,examples/%,$(wildcard cgi/examples/*.c))
EXAMPLE_LIBS	:= -ljson-c
GRAPH_LIBS	:= -lfcgi -ljson-c -lcurl -lcrypto
UNITS		:= $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_LIBS	:= -lcmocka $(COMMAND_LIBS)

all: build/pagehook.fcgi build/pagehook $(EXAMPLES:%=build/%)

# One set of rules for three builds: as shipped; with the test seams; the same under sanitizers.
# $(1) folder, $(2) compiler flags, $(3) linker flags
define variant
$(1)/%.o: %.c Makefile
	@mkdir -p $$(@D); echo "cc    $$@"
	$$(Q)$$(CC) $(LANG_C) $(WARN) $(2) $$(CPPFLAGS) -MMD -MP -c -o $$@ $$<
$(1)/libpagehook.a: $(LIB:%=$(1)/lib/%.o)
	$$(Q)rm -f $$@ && ar rcs $$@ $$^
$(call program,$(1)/pagehook.fcgi,$(FRONT:%=$(1)/%.o) $(1)/libpagehook.a,$(3),$(FRONT_LIBS))
$(call program,$(1)/pagehook,$(COMMAND:%=$(1)/%.o) $(1)/libpagehook.a,$(3),$(COMMAND_LIBS))
$(call program,$(1)/graph.fcgi,$(GRAPH:%=$(1)/%.o) $(1)/libpagehook.a,$(3),$(GRAPH_LIBS))
$(call program,$(1)/examples/%,$(1)/cgi/examples/%.o $(1)/libpagehook.a,$(3),$(EXAMPLE_LIBS))
$(call program,$(1)/unit/test_%,$(1)/tests/unit/test_%.o $(1)/libpagehook.a,$(3),$(UNIT_LIBS))
$(1)/shim.so: tests/shim/shim.c Makefile
	@mkdir -p $$(@D); echo "link  $$@"
	$$(Q)$$(CC) $(LANG_C) $(WARN) -O1 -g -fPIC -shared -o $$@ $$<
$(1)/programs: $(1)/pagehook.fcgi $(1)/pagehook $(1)/graph.fcgi $(1)/shim.so $(EXAMPLES:%=$(1)/%) $(UNITS:%=$(1)/unit/%)
.PHONY: $(1)/programs
.PRECIOUS: $(1)/%.o
-include $(patsubst %,$(1)/%.d,$(FRONT) $(COMMAND) $(GRAPH) $(LIB:%=lib/%) $(EXAMPLES:%=cgi/%) $(UNITS:%=tests/unit/%))
endef

# $(1) program, $(2) what it is made of, $(3) linker flags, $(4) libraries
define program
$(1): $(2)
	@mkdir -p $$(@D); echo "link  $$@"
	$$(Q)$$(CC) $(3) $$(LDFLAGS) -pie -pthread -o $$@ $$^ $(4)
endef

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined
$(eval $(call variant,build,$(CFLAGS) $(HARDEN),))
$(eval $(call variant,build/test,-O1 -g -DPH_TEST,))
$(eval $(call variant,build/asan,-O1 -g -DPH_TEST -fno-omit-frame-pointer $(SANITIZE),$(SANITIZE)))

# What Debian calls what we need: to build, to run the tests, to lint.
NEEDS_BUILD	:= gcc libc6-dev make libfcgi-dev libssl-dev libjson-c-dev libcurl4-openssl-dev libsqlite3-dev \
		   libpcre2-dev
NEEDS_CHECK	:= libcmocka-dev libfcgi-bin lighttpd lighttpd-mod-openssl apache2-bin \
		   libapache2-mod-fcgid perl sqlite3 openssl curl strace procps \
		   python3 python3-jsonschema php-cli valgrind
NEEDS_LINT	:= clang libclang-rt-dev clang-tidy cppcheck mandoc
NEEDS_BENCH	:= wrk nodejs node-express webhook
NEEDS		= $(NEEDS_BUILD) $(NEEDS_CHECK) $(if $(filter lint fuzz,$(MAKECMDGOALS)),$(NEEDS_LINT)) \
		  $(if $(filter bench bench-quick,$(MAKECMDGOALS)),$(NEEDS_BENCH))

deps:
	@command -v dpkg-query >/dev/null || { echo "deps: not Debian; needed, by Debian's names: $(NEEDS)"; exit 0; }; \
	missing=$$(for p in $(NEEDS); do dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null | \
	    grep -qx installed || echo $$p; done | paste -sd' ' -); \
	[ -n "$$missing" ] || exit 0; \
	as=; [ "$$(id -u)" = 0 ] || as=sudo; \
	if [ "$(DEPS)" = no ] || { [ -n "$$as" ] && ! sudo -n true 2>/dev/null && ! { [ -t 0 ] && command -v sudo >/dev/null; }; }; then \
		echo "deps: missing; to install them: apt-get install $$missing"; exit 1; \
	fi; \
	export DEBIAN_FRONTEND=noninteractive; \
	$$as apt-get -q update && $$as apt-get -q -y --no-install-recommends install $$missing && \
	echo "deps   installed $$missing"

# Side by side with what else there is, as shipped; the results go to build/bench.
BENCHED		:= all build/graph.fcgi build/bench/null build/bench/hmac build/bench/loop

build/bench/%: tests/bench/%.c build/libpagehook.a
	@mkdir -p $(@D); echo "link  $@"
	$(Q)$(CC) $(LANG_C) $(WARN) $(CFLAGS) $(HARDEN) $(CPPFLAGS) $(LDFLAGS) -pie -o $@ $^ -lfcgi -lcurl -lcrypto

bench bench-quick: deps
	@$(MAKE) --no-print-directory -s $(BENCHED) && exec tests/bench/bench $(@:bench-%=%)

run: deps
	@began=$$(date +%s); $(MAKE) --no-print-directory -s build/pagehook.fcgi build/pagehook build/graph.fcgi && \
	echo "build  $$(find build -maxdepth 3 -name '*.o' -path 'build/[clt]*' -not -path 'build/test/*' | wc -l) files, $$(($$(date +%s) - began)) s"
	@KEEP="$(KEEP)" exec tests/run

check: build/test/programs
	@tests/check build/test "$(T)"

asan: build/asan/programs
	@tests/check build/asan "$(T)"

SOAK_SECONDS	?= 3600

soak: build/test/programs
	@SOAK_SECONDS=$(SOAK_SECONDS) tests/check build/test

# What reads a body or a replies file, under clang's fuzzer; FUZZ_SECONDS for each target.
FUZZED		:= $(patsubst %,lib/%.c,$(BASE) $(PURE) intake think)
FUZZERS		:= $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS	?= 300

build/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(wildcard tests/fuzz/*.h) $(FUZZED) $(wildcard lib/*.h) Makefile
	@mkdir -p $(@D); echo "link  $@"
	$(Q)clang $(LANG_C) $(WARN) -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer $(SANITIZE) \
		-o $@ $(filter %.c,$^) -ljson-c -lpcre2-8 -lcrypto

fuzz: deps $(FUZZERS)
	@for f in $(FUZZERS); do mkdir -p $$f.corpus && $$f -dict=tests/fuzz/body.dict -max_len=4096 -timeout=10 \
		-max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$$f- $$f.corpus tests/fuzz/seeds || exit 1; done

SOURCES		= $(wildcard cgi/*.c cgi/examples/*.c lib/*.c tests/graph/*.c tests/unit/*.c tests/fuzz/*.c tests/shim/*.c tests/bench/*.c)
MANUALS		= $(wildcard cgi/*.[1-8] lib/*.[1-8])

lint: deps
	@for cc in gcc clang; do for def in -UPH_TEST -DPH_TEST; do for f in $(SOURCES); do \
		$$cc $(LANG_C) $(WARN) -O2 -Wconversion -Wno-sign-conversion -Werror $$def -c -o /dev/null $$f || exit 1; done; done; done
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--suppress=missingIncludeSystem --error-exitcode=1 -Ilib cgi lib tests/graph tests/bench
	@clang-tidy --quiet --warnings-as-errors='*' $(wildcard cgi/*.c lib/*.c) -- $(LANG_C) 2>/dev/null
	@mandoc -Tlint -Wwarning $(MANUALS)
	@for f in tests/*.pm tests/*.t tests/run tests/soak tests/bench/*.pm tests/bench/bench; do perl -Itests -Itests/bench -wc $$f 2>&1 | grep -v 'syntax OK' && exit 1; done; true

libexecdir	= $(PREFIX)/lib/pagehook
filled		= tests/fill path=/messenger/webhook bin=$(libexecdir)/pagehook.fcgi

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(libexecdir) $(DESTDIR)$(PREFIX)/share/pagehook \
		$(DESTDIR)$(PREFIX)/share/pagehook/examples $(DESTDIR)$(SYSCONFDIR)/pagehook $(DESTDIR)$(SYSCONFDIR)/apache2/conf-available \
		$(DESTDIR)$(SYSCONFDIR)/lighttpd/conf-available
	install -m 755 build/pagehook $(DESTDIR)$(PREFIX)/bin/pagehook
	install -m 755 build/pagehook.fcgi $(DESTDIR)$(libexecdir)/pagehook.fcgi
	install -m 644 apache/htaccess cgi/replies.json cgi/replies.schema.json $(DESTDIR)$(PREFIX)/share/pagehook/
	cp -R cgi/examples/. build/examples/bot $(DESTDIR)$(PREFIX)/share/pagehook/examples/
	for f in apache/*.conf; do $(filled) socket=/run/pagehook/fcgi.sock <$$f \
		>$(DESTDIR)$(SYSCONFDIR)/apache2/conf-available/$${f##*/} || exit 1; done
	for f in lighttpd/*.conf; do $(filled) socket=/run/lighttpd/pagehook.sock <$$f \
		>$(DESTDIR)$(SYSCONFDIR)/lighttpd/conf-available/$${f##*/} || exit 1; done
	for f in $(MANUALS); do d=$(DESTDIR)$(PREFIX)/share/man/man$${f##*.}; \
		install -d $$d && install -m 644 $$f $$d/ || exit 1; done

clean:
	rm -rf build

.PHONY: all run bench bench-quick check asan soak fuzz lint install deps clean
