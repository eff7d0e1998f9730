# pagehook: a Facebook Messenger webhook for FastCGI and CGI.
#
#   make            build/pagehook.fcgi (the front) and build/pagehook (helper and command)
#   make run        install what is missing, build, start it all on loopback, show a round trip
#   make check      unit tests and tests against real servers; T=name runs what bears that name
#   make asan       the same, built with AddressSanitizer and UndefinedBehaviorSanitizer
#   make lint       both compilers with warnings as errors, cppcheck, clang-tidy, man pages
#   make install    DESTDIR and PREFIX honoured; enables nothing
#   make deps       install Debian's packages; without root or sudo, print the line to type
#   make clean

MAKEFLAGS	+= --warn-undefined-variables --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

VERSION		:= 0.1.0
PREFIX		?= /usr
DESTDIR		?=
SYSCONFDIR	?= /etc
CC		= gcc
CFLAGS		?= -O2 -g
CPPFLAGS	?=
LDFLAGS		?=
T		?=
DEPS		?= yes
KEEP		?=

WARN	:= -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual -Wstrict-prototypes \
	   -Wmissing-prototypes -Wwrite-strings -Wvla -Wformat=2 -Wundef
HARDEN	:= -fstack-protector-strong -D_FORTIFY_SOURCE=2
LANG_C	:= -std=c11 -D_GNU_SOURCE -Ilib -pthread -fPIE \
	   -DPH_VERSION='"$(VERSION)"' -DPH_BINDIR='"$(PREFIX)/bin"'

# The layers, lowest first: a module includes only what stands before it (tests/house.t looks).
BASE	:= error buffer clock log
PURE	:= hex query signature json event key message outcome backoff
DOORS	:= conf state wire wire_helper spool store store_sqlite graph
FLOW	:= intake think ledger turn
LIB	:= $(BASE) $(PURE) $(DOORS) $(FLOW)

# Each program names its own libraries: the front cannot call what it does not link.
FRONT		:= cgi/main cgi/front cgi/mount cgi/request cgi/start \
		   $(addprefix lib/,error buffer clock log hex query signature conf state wire spool)
FRONT_LIBS	:= -lfcgi -lcrypto
COMMAND		:= cgi/pagehook cgi/helper cgi/sign $(addprefix lib/,$(LIB))
COMMAND_LIBS	:= -ljson-c -lcurl -lsqlite3 -lcrypto
GRAPH		:= $(addprefix tests/graph/,graph answer send faults echo) \
		   $(addprefix lib/,error buffer clock hex query signature)
GRAPH_LIBS	:= -lfcgi -ljson-c -lcurl -lcrypto
UNITS		:= $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_LIBS	:= -lcmocka $(COMMAND_LIBS)

all: build/pagehook.fcgi build/pagehook

# One set of rules for three builds: as shipped; with the test seams; the same under sanitizers.
# $(1) folder, $(2) compiler flags, $(3) linker flags
define variant
$(1)/%.o: %.c Makefile
	@mkdir -p $$(@D)
	$$(CC) $(LANG_C) $(WARN) $(2) $$(CPPFLAGS) -MMD -MP -c -o $$@ $$<
$(1)/pagehook.fcgi: $(FRONT:%=$(1)/%.o)
	$$(CC) $(3) $$(LDFLAGS) -pie -pthread -o $$@ $$^ $(FRONT_LIBS)
$(1)/pagehook: $(COMMAND:%=$(1)/%.o)
	$$(CC) $(3) $$(LDFLAGS) -pie -pthread -o $$@ $$^ $(COMMAND_LIBS)
$(1)/graph.fcgi: $(GRAPH:%=$(1)/%.o)
	$$(CC) $(3) $$(LDFLAGS) -pie -pthread -o $$@ $$^ $(GRAPH_LIBS)
$(1)/unit/test_%: $(1)/tests/unit/test_%.o $(LIB:%=$(1)/lib/%.o)
	@mkdir -p $$(@D)
	$$(CC) $(3) $$(LDFLAGS) -pie -pthread -o $$@ $$^ $(UNIT_LIBS)
$(1)/programs: $(1)/pagehook.fcgi $(1)/pagehook $(1)/graph.fcgi $(UNITS:%=$(1)/unit/%)
.PHONY: $(1)/programs
.PRECIOUS: $(1)/%.o
-include $(patsubst %,$(1)/%.d,$(sort $(FRONT) $(COMMAND) $(GRAPH) $(UNITS:%=tests/unit/%)))
endef

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined
$(eval $(call variant,build,$(CFLAGS) $(HARDEN),))
$(eval $(call variant,build/test,-O1 -g -DPH_TEST,))
$(eval $(call variant,build/asan,-O1 -g -DPH_TEST -fno-omit-frame-pointer $(SANITIZE),$(SANITIZE)))

.PHONY: all run check asan lint install uninstall deps clean
