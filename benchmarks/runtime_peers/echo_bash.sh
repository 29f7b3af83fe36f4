#!/bin/bash
handle() { cat; }
