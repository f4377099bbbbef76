# Greentea. One file, not recursive. `make help` lists the targets.
# SPDX-License-Identifier: BSD-2-Clause

VERSION  := 0.1.0
SOVERSION := 0
BUILD    ?= build
PREFIX   ?= /usr/local
LIBDIR   ?= $(PREFIX)/lib
DESTDIR  ?=
CC       ?= cc
OPT      ?= -O3
SANITIZE ?=
OCL      ?= 1

PACKAGES := build-essential pkg-config libopenblas-dev libtiff-dev libpng-dev libjansson-dev \
            libpopt-dev libyaml-dev librandom123-dev libcmocka-dev libsodium-dev
MODULES  := openblas libtiff-4 libpng jansson libsodium
# OCL=0 builds without OpenCL. The tests need a device: PoCL is one on any processor.
ifneq ($(OCL),0)
PACKAGES += ocl-icd-opencl-dev libclblast-dev pocl-opencl-icd oclgrind
OCL_LIBS := -lclblast -lOpenCL
OCL_CPPFLAGS := -DGT_WITH_OCL
endif

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wmissing-prototypes -Wstrict-prototypes -Werror
PKG_CFLAGS := $(shell pkg-config --cflags $(MODULES) popt yaml-0.1 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(MODULES) 2>/dev/null)

CPPFLAGS_ALL = -Iinclude -Isrc -I$(BUILD)/gen -D_POSIX_C_SOURCE=200809L -D_FILE_OFFSET_BITS=64 \
               $(OCL_CPPFLAGS) $(CPPFLAGS)
CFLAGS_ALL   = -std=c11 $(OPT) -g -fPIC -fvisibility=hidden -ffp-contract=off -fno-math-errno \
               -fstack-protector-strong $(WARN) $(PKG_CFLAGS) $(SANITIZE) $(CFLAGS)
LDFLAGS_ALL  = $(SANITIZE) -Wl,-z,relro,-z,now $(LDFLAGS)
LIBS         = $(PKG_LIBS) $(OCL_LIBS) -lpthread -lm
TOOL_LIBS    = $(shell pkg-config --libs popt yaml-0.1 2>/dev/null)

# ---- sources: everything below src/ but the tool is the library ----
LIB_SRC  := $(sort $(filter-out src/tool/% $(if $(filter 0,$(OCL)),src/backend_ocl/%),\
              $(shell find src -name '*.c')))
TOOL_SRC := $(sort $(wildcard src/tool/*.c))
LIB_OBJ  := $(LIB_SRC:%.c=$(BUILD)/%.o)
TOOL_OBJ := $(TOOL_SRC:%.c=$(BUILD)/%.o)
# Every reference is compiled a second time in double, as the oracle of the tests.
REF_SRC  := $(sort $(wildcard src/backend_cpu/ref/*_ref.c))
REF_OBJ  := $(REF_SRC:%.c=$(BUILD)/%_f64.o)

UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c) $(wildcard tests/models/test_*.c) \
            $(wildcard tests/api/test_*.c))
OPS_SRC  := $(sort $(wildcard tests/ops/*.c))
UNIT_BIN := $(UNIT_SRC:%.c=$(BUILD)/%)
OPS_BIN  := $(if $(OPS_SRC),$(BUILD)/tests/ops/check_op)
EXAMPLE_SRC := $(sort $(wildcard examples/*.c))
EXAMPLE_BIN := $(EXAMPLE_SRC:%.c=$(BUILD)/%)
HELP_SRC := $(sort $(wildcard tests/support/*.c))
HELP_OBJ := $(HELP_SRC:%.c=$(BUILD)/%.o)
# Loaded by the ICD loader: make OpenCL calls fail, make devices smaller.
OCL_LAYER := $(if $(filter 0,$(OCL)),,$(BUILD)/tests/libocl_layer.so $(BUILD)/tests/libocl_small.so)

STATIC := $(BUILD)/libgreentea.a
SHARED := $(BUILD)/libgreentea.so.$(VERSION)
TOOL   := $(BUILD)/greentea

.PHONY: all tool check quick bench bench-table demo deps install uninstall asan tsan clean help format tests
all: $(STATIC) $(SHARED) $(TOOL) $(BUILD)/greentea.pc ## libraries and tool

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile

tool: $(TOOL) ## the tool only

# The suffix of a file name is the only place that chooses an instruction set.
$(BUILD)/%_avx2.o: ISA = -mavx2 -mfma -ffp-contract=fast
$(BUILD)/%_avx512.o: ISA = -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512 \
                           -ffp-contract=fast
$(BUILD)/%_avx512bf16.o: ISA = -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512bf16 -mfma \
                               -mprefer-vector-width=512 -ffp-contract=fast

# Device sources become arrays of characters in headers: gt__cl_source, with layout.clh put in.
CL_SRC := $(if $(filter 0,$(OCL)),,$(sort $(wildcard src/backend_ocl/cl/*.cl)))
CL_GEN := $(CL_SRC:src/backend_ocl/cl/%.cl=$(BUILD)/gen/cl/%.cl.h)
$(BUILD)/gen/cl/%.cl.h: src/backend_ocl/cl/%.cl src/backend_ocl/cl/layout.clh
	@mkdir -p $(@D)
	@{ echo 'static const char gt__cl_source[] = {'; \
	  sed -e '/^#include "layout.clh"/{r src/backend_ocl/cl/layout.clh' -e 'd;}' $< | \
	  od -An -v -tx1 | sed 's/ \(..\)/0x\1,/g'; echo '0};'; } > $@.tmp && mv $@.tmp $@
$(filter $(BUILD)/src/backend_ocl/%,$(LIB_OBJ)): | $(CL_GEN)

Q = $(if $(V),,@)
$(BUILD)/%_f64.o: %.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC   $< (double)")
	$(Q)$(CC) $(CPPFLAGS_ALL) -DGT_REF_F64 $(CFLAGS_ALL) -MMD -MP -c -o $@ $<
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC   $<")
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(ISA) -MMD -MP -c -o $@ $<

$(STATIC): $(LIB_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^
$(SHARED): $(LIB_OBJ)
	$(if $(V),,@echo "  LINK $@")
	$(Q)$(CC) -shared -Wl,-soname,libgreentea.so.$(SOVERSION) $(LDFLAGS_ALL) -Wl,-z,defs -o $@ $^ $(LIBS)
	ln -sf libgreentea.so.$(VERSION) $(BUILD)/libgreentea.so.$(SOVERSION)
	ln -sf libgreentea.so.$(SOVERSION) $(BUILD)/libgreentea.so
$(TOOL): $(TOOL_OBJ) $(STATIC)
	$(if $(V),,@echo "  LINK $@")
	$(Q)$(CC) $(LDFLAGS_ALL) -pie -o $@ $^ $(LIBS) $(TOOL_LIBS)
# Always made anew: `make install PREFIX=...` may name another prefix than `make` did.
.PHONY: $(BUILD)/greentea.pc
$(BUILD)/greentea.pc:
	@mkdir -p $(@D)
	@printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' 'includedir=$${prefix}/include' '' \
	  'Name: greentea' 'Description: Pixelwise image classification with convolutional networks' \
	  'Version: $(VERSION)' 'Requires.private: $(MODULES)' 'Libs: -L$${libdir} -lgreentea' \
	  'Libs.private: $(OCL_LIBS) -lpthread -lm' 'Cflags: -I$${includedir}' > $@

# ---- tests: cmocka programs linked with the static library, so that they see its inside ----
$(BUILD)/tests/ops/check_op: $(OPS_SRC:%.c=$(BUILD)/%.o) $(REF_OBJ) $(HELP_OBJ) $(STATIC)
	$(if $(V),,@echo "  LINK $@")
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) -lcmocka
$(UNIT_BIN): $(BUILD)/%: $(BUILD)/%.o $(HELP_OBJ) $(STATIC)
	$(if $(V),,@echo "  LINK $@")
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS) -lcmocka
$(EXAMPLE_BIN): $(BUILD)/%: $(BUILD)/%.o $(STATIC)
	$(if $(V),,@echo "  LINK $@")
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(OCL_LAYER): $(BUILD)/tests/lib%.so: $(BUILD)/tests/ocl_layer/%.o
	$(if $(V),,@echo "  LINK $@")
	$(Q)$(CC) -shared $(LDFLAGS_ALL) -o $@ $^

tests: $(UNIT_BIN) $(OPS_BIN) $(EXAMPLE_BIN) $(TOOL) $(OCL_LAYER)

check: deps ## all tests
	@$(MAKE) --no-print-directory all tests
	@BUILD=$(BUILD) CC="$(CC)" sh tests/run.sh
quick: deps
	@$(MAKE) --no-print-directory all tests
	@BUILD=$(BUILD) CC="$(CC)" GT_QUICK=1 sh tests/run.sh
asan: ## the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) --no-print-directory quick BUILD=$(BUILD)/asan OPT="-O1 -fexpensive-optimizations" \
	  SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g1"
tsan: ## the tests under ThreadSanitizer
	@$(MAKE) --no-print-directory quick BUILD=$(BUILD)/tsan OPT=-O1 SANITIZE="-fsanitize=thread -g1"

bench: deps ## speed of kernels and networks, into the terminal
	@$(MAKE) --no-print-directory all tests
	$(BUILD)/tests/ops/check_op --bench
	@sh tests/bench.sh $(BUILD)

bench-table: ## the large networks beside PyTorch, ONNX Runtime and ncnn where PYTHON has them, as Markdown
	@$(MAKE) --no-print-directory all tests >/dev/null
	@BENCH_TORCH=1 BENCH_ORT=1 BENCH_NCNN=1 sh tests/bench.sh $(BUILD) --table

demo: deps ## make data, train two minutes, label an unseen image, show a picture
	@$(MAKE) --no-print-directory tool
	$(TOOL) demo

deps: ## install what is missing (Debian, Ubuntu)
	@sh .ci/deps $(PACKAGES)

install: all ## into $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(PREFIX)/include/greentea
	install -m 755 $(TOOL) $(DESTDIR)$(PREFIX)/bin/
	install -m 644 $(STATIC) $(DESTDIR)$(LIBDIR)/
	install -m 755 $(SHARED) $(DESTDIR)$(LIBDIR)/
	ln -sf libgreentea.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libgreentea.so.$(SOVERSION)
	ln -sf libgreentea.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libgreentea.so
	install -m 644 $(BUILD)/greentea.pc $(DESTDIR)$(LIBDIR)/pkgconfig/
	install -m 644 include/greentea/*.h $(DESTDIR)$(PREFIX)/include/greentea/
uninstall: ## undo install
	rm -f $(DESTDIR)$(PREFIX)/bin/greentea $(DESTDIR)$(LIBDIR)/libgreentea.* \
	  $(DESTDIR)$(LIBDIR)/pkgconfig/greentea.pc
	rm -rf $(DESTDIR)$(PREFIX)/include/greentea

clean: ## remove what was built
	rm -rf $(BUILD)
format: ## clang-format over the tree
	clang-format -i $$(find src include tests examples -name '*.[ch]')

# Flags are not tracked: give another configuration another BUILD, as asan and tsan do.
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
